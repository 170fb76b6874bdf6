import { type CheckpointGit, longMs, mustRun, quickMs } from './checkpoint-git.ts'

interface Change {
  before: { mode: string; object: string }
  after: { mode: string; object: string }
  path: string
}

/** The changes that `git diff-tree --raw -z --no-renames` tells. */
const parseRaw = (text: string): Change[] => {
  const parts = text.split('\0')
  const changes: Change[] = []
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const [, from, to, was, is] = /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) /.exec(parts[i] ?? '') ?? []
    const path = parts[i + 1]
    if (from === undefined || to === undefined || was === undefined || is === undefined) continue
    if (path !== undefined)
      changes.push({ before: { mode: from, object: was }, after: { mode: to, object: is }, path })
  }
  return changes
}

const outputLimit = 128 * 1024 * 1024
const absent = '000000'
const link = '160000'
const isFile = (mode: string) => mode.startsWith('100')

/**
 * The tree to commit for the files of a checkpoint on top of a commit: those files, but for what is no work of anybody.
 * Line endings that differ only because the checkout made them so (the checkpoint keeps bytes), and repositories inside,
 * which are no part of this one and can't be pushed with it, stay as the commit has them.
 */
export const treeToCommit = async (
  git: CheckpointGit,
  mirror: string,
  { files, tip }: { files: string; tip: string | undefined },
): Promise<string> => {
  const run = (args: string[], input?: string) =>
    mustRun(git, { mirror, args, timeoutMs: longMs, outputLimit, ...(input === undefined ? {} : { input }) })
  const before = tip ?? (await run(['hash-object', '-t', 'tree', '-w', '--stdin'], '')).trim()
  const diff = ['diff-tree', '-r', '-z', '--no-renames', '--no-abbrev']
  const changes = parseRaw(await run([...diff, '--raw', before, files]))
  const endings = changes.some(({ before: was, after: is }) => isFile(was.mode) && was.mode === is.mode)
    ? new Set(numstatPaths(await run([...diff, '--numstat', '--ignore-cr-at-eol', before, files])))
    : undefined
  const kept = changes.filter(
    ({ before: was, after: is, path }) =>
      was.mode === link ||
      is.mode === link ||
      (isFile(was.mode) && was.mode === is.mode && endings?.has(path) === false),
  )
  if (kept.length === 0) return (await run(['rev-parse', `${files}^{tree}`])).trim()
  await run(['read-tree', files])
  const lines = kept.map(({ before: was, path }) =>
    was.mode === absent
      ? `0 ${'0'.repeat(was.object.length)}\t${path}`
      : `${was.mode} ${was.object}\t${path}`,
  )
  await mustRun(git, {
    mirror,
    args: ['update-index', '-z', '--replace', '--index-info'],
    input: lines.map((line) => `${line}\0`).join(''),
    timeoutMs: quickMs,
  })
  return (await run(['write-tree'])).trim()
}

const numstatPaths = (text: string): string[] =>
  text.split('\0').flatMap((line) => /^(?:\d+|-)\t(?:\d+|-)\t(.+)$/s.exec(line)?.[1] ?? [])

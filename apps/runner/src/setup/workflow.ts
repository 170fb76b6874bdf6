import {
  type Hooks,
  hooks as hooksSchema,
  type McpServer,
  sessionMcpServers,
  type WorkflowManifest,
  type WorkflowSource,
  workflowManifest,
} from '@berth/contract'
import { runBoxed } from '@berth/git'
import type { z } from 'zod'
import { type MirrorOptions, mirrorOf } from '../workspace/mirror-of.ts'
import { emptyDirectory } from './empty-directory.ts'

/** A workflow whose files lie in the layout's directory for it. */
export interface LoadedWorkflow {
  source: WorkflowSource
  commit: string
  /** The branch that was read. */
  branch: string
  manifest: WorkflowManifest
  /** Of its `.claude/settings.json` and `.mcp.json`; they count where those of a repository do. */
  hooks: Hooks
  mcpServers: Record<string, McpServer>
}

/** A workflow can't be used. The message is for the person who chose it. */
class WorkflowError extends Error {
  override readonly name = 'WorkflowError'
}

export type WorkflowOptions = Omit<MirrorOptions, 'timeoutMs'>

/** Files and bytes of a workflow's directory. */
const maxFiles = 5000
const maxBytes = 64 * 1024 * 1024
/** Bytes of `ambient.json` and of the two files that are read beside it. */
const maxJson = 512 * 1024
const cloneMs = 120_000
const readMs = 60_000

/**
 * Measures the directory, copies it and prints the files that are read here, each as a line of base64. In the sandbox,
 * because the repository is a stranger's; what it prints is bytes to judge.
 */
const script = `
set -eu
mirror=$1 commit=$2 path=$3 target=$4 files=$5 bytes=$6 json=$7
export GIT_DIR="$mirror"
tree="$commit:$path"
[ "$(git cat-file -t "$tree" 2>/dev/null)" = tree ] || { echo missing; exit 0; }
git ls-tree -r -l "$tree" | awk -v files="$files" -v bytes="$bytes" '
  { n += 1; size += ($4 == "-" ? 0 : $4) }
  END { if (n > files || size > bytes) { printf "large %d %.0f\\n", n, size; exit 1 } }' || exit 0
git archive --format=tar "$tree" | tar -x -f - -C "$target" --no-same-owner --no-same-permissions
for name in .ambient/ambient.json .claude/settings.json .mcp.json; do
  file="$commit:\${path:+$path/}$name"
  size=$(git cat-file -s "$file" 2>/dev/null || echo none)
  if [ "$size" = none ]; then echo "none $name"
  elif [ "$size" -gt "$json" ]; then echo "long $name"
  else printf 'file %s ' "$name"; git cat-file blob "$file" | base64 | tr -d '\\n'; echo
  fi
done
`

/**
 * Brings a workflow here and reads it. Throws a WorkflowError that says what is wrong; then the directory is empty, and
 * nothing of it counts.
 */
export const loadWorkflow = async (
  source: WorkflowSource,
  options: WorkflowOptions,
): Promise<LoadedWorkflow> => {
  const target = options.layout.outside.workflow
  await emptyDirectory(target)
  try {
    return await read(source, options)
  } catch (error) {
    await emptyDirectory(target)
    if (error instanceof WorkflowError) throw error
    throw new WorkflowError(error instanceof Error ? error.message : String(error))
  }
}

const read = async (source: WorkflowSource, options: WorkflowOptions): Promise<LoadedWorkflow> => {
  const { layout, sandbox } = options
  const mirror = await mirrorOf({ ...options, timeoutMs: cloneMs }, { url: source.url }, 'of the workflow')
  const branch = source.branch ?? mirror.defaultBranch ?? ''
  const commit = mirror.branches.get(branch)
  if (commit === undefined) throw new WorkflowError(noBranch(source, branch, [...mirror.branches.keys()]))
  const { inside, outside } = layout
  const place = inside.source === '' ? mirror.path : inside.source
  const { exit, stdout, stderr, overflow } = await runBoxed(sandbox, {
    script,
    args: [place, commit, source.path ?? '', inside.workflow, ...[maxFiles, maxBytes, maxJson].map(String)],
    mounts: [
      { path: mirror.path, mode: 'ro', target: place },
      { path: outside.workflow, mode: 'rw', target: inside.workflow },
    ],
    cwd: inside.workflow,
    temporary: inside.temporary,
    timeoutMs: readMs,
    outputLimit: 4 * maxJson,
  })
  if (exit.code !== 0 || overflow)
    throw new WorkflowError(
      `The workflow could not be read: ${(stderr.trim() || exit.message).slice(0, 1000)}`,
    )
  return { source, commit, branch, ...parse(source, stdout.toString('utf8')) }
}

const noBranch = ({ url }: WorkflowSource, branch: string, known: readonly string[]): string => {
  const list = known.slice(0, 10).join(', ') || 'none'
  const which = branch === '' ? 'it has no commits' : `branch ${branch} does not exist`
  return `The workflow ${url} can’t be used: ${which}. Branches: ${list}. Name one of them.`
}

const parse = (
  source: WorkflowSource,
  output: string,
): Pick<LoadedWorkflow, 'manifest' | 'hooks' | 'mcpServers'> => {
  const where = source.path === undefined ? 'the repository' : `its directory ${source.path}`
  if (output.startsWith('missing'))
    throw new WorkflowError(
      `The repository has no directory ${source.path ?? ''}. Correct the workflow’s path.`,
    )
  const large = /^large (\d+) (\d+)/.exec(output)
  if (large !== null)
    throw new WorkflowError(
      `The workflow is too large: ${where} has ${large[1]} files of ${large[2]} bytes; ${maxFiles} files of ${maxBytes} bytes are the limit. Point its path at a smaller directory.`,
    )
  const files = new Map(output.split('\n').map((line) => readLine(line)))
  const manifest = files.get(manifestPath)
  if (manifest === undefined)
    throw new WorkflowError(
      `There is no ${manifestPath} in ${where}. Correct the workflow’s path or add the file.`,
    )
  return {
    manifest: checked(manifestPath, manifest, workflowManifest),
    hooks: checkedPart(settingsPath, files.get(settingsPath), { key: 'hooks', schema: hooksSchema }),
    mcpServers: checkedPart(serversPath, files.get(serversPath), {
      key: 'mcpServers',
      schema: sessionMcpServers,
    }),
  }
}

const manifestPath = '.ambient/ambient.json'
const settingsPath = '.claude/settings.json'
const serversPath = '.mcp.json'

const readLine = (line: string): [string, string | undefined] => {
  const [kind, name = '', base64 = ''] = line.split(' ')
  if (kind === 'long') throw new WorkflowError(`${name} is longer than ${maxJson} bytes. Shorten it.`)
  return [name, kind === 'file' ? Buffer.from(base64, 'base64').toString('utf8') : undefined]
}

const json = (name: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new WorkflowError(`${name} is not valid JSON: ${why.slice(0, 300)}`)
  }
}

const checked = <S extends z.ZodType>(name: string, text: string, schema: S): z.output<S> => {
  const parsed = schema.safeParse(json(name, text))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues
    .slice(0, 20)
    .map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`)
  throw new WorkflowError(`${name} is not valid. ${problems.join('; ')}`.slice(0, 3500))
}

/** One key of a file that Claude Code reads otherwise; what is not there is empty. */
const checkedPart = <S extends z.ZodType>(
  name: string,
  text: string | undefined,
  { key, schema }: { key: string; schema: S },
): z.output<S> => {
  const whole = text === undefined ? {} : json(name, text)
  const part =
    typeof whole === 'object' && whole !== null ? (whole as Record<string, unknown>)[key] : undefined
  return checked(name, JSON.stringify(part ?? {}), schema)
}

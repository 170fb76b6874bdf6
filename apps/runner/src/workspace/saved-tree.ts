import { limits } from '@berth/contract'

/** What is known of a tree's files at one moment; all of it was told by git on the agent's tree. */
export interface SavedTree {
  path: string
  /** The files, as a commit in the tree's shadow. */
  commit: string
  files: number
  bytes: number
  /** Undefined: no repository of its own. */
  repository: { refs: Record<string, string>; head: string | undefined; shallow: string[] } | undefined
  emptyDirectories: string[]
  /** Directories with repositories of their own, below this tree. */
  nested: string[]
  /** What could not be told. */
  omitted: string[]
}

const most = { refs: 2000, shallow: 100_000, places: 10_000 }

/** Reads what the shadow script printed about the tree. Undefined when it isn't what it should be. */
export const readSavedTree = (path: string, sections: ReadonlyMap<string, Buffer>): SavedTree | undefined => {
  const text = (name: string) => sections.get(name)?.toString('utf8') ?? ''
  const commit = text('commit').trim()
  const [files, bytes] = text('size').trim().split('\n').map(Number)
  if (!isObject(commit) || !isCount(files) || !isCount(bytes)) return undefined
  const empty = paths(sections.get('empty'))
  const nested = paths(sections.get('nested'))
  const head = text('head').trim()
  const refs = Object.fromEntries(
    text('refs')
      .split('\n')
      .flatMap((line) => refOf(line))
      .slice(0, most.refs),
  )
  const shallow = text('shallow').split('\n').filter(isObject).slice(0, most.shallow)
  const odd = empty.odd + nested.odd
  return {
    path,
    commit,
    files,
    bytes,
    repository: isHead(head) ? { refs, head, shallow } : undefined,
    emptyDirectories: empty.paths,
    nested: nested.paths,
    omitted:
      odd === 0 ? [] : [`${odd} empty directories or repositories whose names are not UTF-8 or too long`],
  }
}

const isObject = (text: string) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
const isCount = (value: number | undefined): value is number =>
  value !== undefined && Number.isSafeInteger(value) && value >= 0
const isHead = (text: string) => isObject(text) || (isRef(text) && text.startsWith('refs/heads/'))
const isRef = (text: string) => text.length <= 1000 && /^refs\/\S+$/.test(text)

const refOf = (line: string): [string, string][] => {
  const [object = '', ref = ''] = line.split(' ')
  return isObject(object) && isRef(ref) ? [[ref, object]] : []
}

/** Paths that end with NUL; one that was cut has none. Names that JSON can't hold are counted, not guessed. */
const paths = (bytes: Buffer | undefined): { paths: string[]; odd: number } => {
  const found: string[] = []
  let odd = 0
  const all = bytes ?? Buffer.alloc(0)
  for (let at = 0, end = all.indexOf(0); end !== -1; at = end + 1, end = all.indexOf(0, at)) {
    const raw = all.subarray(at, end)
    const path = raw.toString('utf8')
    const fits = path !== '' && path.length <= limits.path && Buffer.from(path).equals(raw)
    if (fits && isBelow(path) && found.length < most.places) found.push(path)
    else odd += 1
  }
  return { paths: found, odd }
}

/** A path that stays below where it starts. */
export const isBelow = (path: string): boolean =>
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))

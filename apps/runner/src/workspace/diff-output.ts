import type { ChangedFile, DiffStat } from '@berth/contract'

/** A changed file as git's raw format lists it. */
export interface RawChange {
  path: string
  from: string | undefined
  status: ChangedFile['status']
  mode: string
  /** The object of the content after the change. */
  object: string
}

const statuses: Record<string, ChangedFile['status']> = {
  A: 'added',
  C: 'added',
  M: 'modified',
  D: 'deleted',
  R: 'renamed',
  T: 'type-changed',
}

const header = /^:([0-7]{6}) ([0-7]{6}) [0-9a-f]{40,64} ([0-9a-f]{40,64}) ([A-Z])\d*$/

/** Reads `git diff-tree --raw -z`. An incomplete entry at the end, where the output was cut, is left out. */
export const parseRaw = (text: string): RawChange[] => {
  const fields = completeFields(text)
  const changes: RawChange[] = []
  for (let at = 0; at < fields.length; ) {
    const match = header.exec(fields[at] ?? '')
    const [, before = '', after = '', object = '', letter = ''] = match ?? []
    const status = statuses[letter]
    const names = letter === 'R' || letter === 'C' ? 2 : 1
    const path = fields[at + names]
    if (match === null || status === undefined || path === undefined) break
    const from = letter === 'R' ? fields[at + 1] : undefined
    changes.push({ path, from, status, mode: status === 'deleted' ? before : after, object })
    at += names + 1
  }
  return changes
}

export interface LineCounts {
  binary: boolean
  insertions: number
  deletions: number
}

/** Reads `git diff-tree --numstat -z`: counts by the path after the change. */
export const parseNumstat = (text: string): Map<string, LineCounts> => {
  const fields = completeFields(text)
  const counts = new Map<string, LineCounts>()
  for (let at = 0; at < fields.length; ) {
    const match = /^(\d+|-)\t(\d+|-)\t([\s\S]*)$/.exec(fields[at] ?? '')
    if (match === null) break
    const [, insertions = '', deletions = '', name = ''] = match
    // A rename has an empty name here, then both names.
    const path = name === '' ? fields[at + 2] : name
    if (path === undefined) break
    const binary = insertions === '-'
    counts.set(path, {
      binary,
      insertions: binary ? 0 : Number(insertions),
      deletions: binary ? 0 : Number(deletions),
    })
    at += name === '' ? 3 : 1
  }
  return counts
}

/** The fields that end with NUL: a field that was cut has none. */
const completeFields = (text: string): string[] => text.split('\0').slice(0, -1)

/** Reads `git diff --shortstat`. Nothing printed means no difference. */
export const parseShortstat = (text: string): DiffStat => {
  const count = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
  return {
    files: count(/(\d+) files? changed/),
    insertions: count(/(\d+) insertions?\(\+\)/),
    deletions: count(/(\d+) deletions?\(-\)/),
  }
}

/**
 * Reads `git cat-file --batch`: contents by object. Stops at the first entry that is not whole or not as announced:
 * the output comes from a place where the agent's own programs may have run.
 */
export const parseContents = (output: Buffer): Map<string, Buffer> => {
  const contents = new Map<string, Buffer>()
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0x0a, at)
    if (end === -1 || end - at > 100) break
    const match = /^([0-9a-f]{40,64}) blob (\d{1,9})$/.exec(output.toString('latin1', at, end))
    if (match?.[1] === undefined) break
    const from = end + 1
    const to = from + Number(match[2])
    if (to >= output.length || output[to] !== 0x0a) break
    contents.set(match[1], output.subarray(from, to))
    at = to + 1
  }
  return contents
}

/**
 * Splits what the shadow script prints: sections of `name length\n` and that many bytes. The last one has the length
 * `-` and goes to the end. Undefined when it isn't so.
 */
export const parseSections = (output: Buffer): Map<string, Buffer> | undefined => {
  const sections = new Map<string, Buffer>()
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0x0a, at)
    const match =
      end === -1 || end - at > 60 ? null : /^([a-z-]+) +(\d{1,9}|-)$/.exec(output.toString('latin1', at, end))
    if (match?.[1] === undefined) return undefined
    const to = match[2] === '-' ? output.length : end + 1 + Number(match[2])
    if (to > output.length) return undefined
    sections.set(match[1], output.subarray(end + 1, to))
    at = to
  }
  return sections
}

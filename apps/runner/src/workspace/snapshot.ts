import {
  type BlobRef,
  type ChangedFile,
  type LongText,
  limits,
  preview,
  type RepositorySnapshot,
  repositorySnapshot,
} from '@berth/contract'
import { parseContents, parseNumstat, parseRaw, parseShortstat } from './diff-output.ts'
import { snapshotLimits } from './shadow-script.ts'
import type { TrackedRepository } from './state.ts'

/** Keeps bytes under their hash until the backend has them. */
export type SaveBytes = (bytes: Uint8Array, mediaType?: string) => Promise<BlobRef>

export interface BuiltSnapshot {
  snapshot: RepositorySnapshot
  /** The blobs that it refers to. */
  blobs: string[]
}

/**
 * Makes a snapshot of what the shadow script printed. Throws when it isn't what the contract expects, which happens
 * only when the agent has tampered with its repository.
 */
export const buildSnapshot = async (
  repository: TrackedRepository,
  sections: ReadonlyMap<string, Buffer>,
  save: SaveBytes,
): Promise<BuiltSnapshot> => {
  const text = (name: string) => sections.get(name)?.toString('utf8') ?? ''
  const blobs: string[] = []
  const keep: SaveBytes = async (bytes, mediaType) => {
    const ref = await save(bytes, mediaType)
    blobs.push(ref.blob)
    return ref
  }
  const omissions: string[] = []
  const files = await listFiles(sections, keep, omissions)
  const patch = await longPatch(sections.get('patch') ?? Buffer.alloc(0), keep)
  const turnBytes = sections.get('turn-patch')
  const turnPatch = turnBytes === undefined ? patch : await longPatch(turnBytes, keep)
  if (patch.cut || turnPatch.cut)
    omissions.push(`the diff is cut after ${snapshotLimits.patch / 1024 / 1024} MB`)
  const notes = text('said').trim()
  if (notes !== '') omissions.push(`git said: ${preview(notes, 300)}`)
  const snapshot = repositorySnapshot.parse({
    name: repository.name,
    ...(repository.base === undefined ? {} : { base: repository.base }),
    commit: text('commit').trim(),
    commits: Number(text('commits').trim()),
    total: parseShortstat(text('total')),
    turn: parseShortstat(text('turn')),
    files,
    patch: patch.text,
    turnPatch: turnPatch.text,
    ...(omissions.length === 0 ? {} : { truncated: omissions.join('; ').slice(0, 1000) }),
  })
  return { snapshot, blobs }
}

const listFiles = async (
  sections: ReadonlyMap<string, Buffer>,
  keep: SaveBytes,
  omissions: string[],
): Promise<ChangedFile[]> => {
  const changes = parseRaw((sections.get('raw') ?? Buffer.alloc(0)).toString('utf8'))
  const counts = parseNumstat((sections.get('numstat') ?? Buffer.alloc(0)).toString('utf8'))
  const contents = parseContents(sections.get('contents') ?? Buffer.alloc(0))
  const listed = changes.filter(({ path }) => path.length <= 4096).slice(0, snapshotLimits.files)
  if (listed.length < changes.length)
    omissions.push(`${changes.length - listed.length} changed files are not listed`)
  let without = 0
  const files: ChangedFile[] = []
  for (const { path, from, status, mode, object } of listed) {
    const bytes = status === 'deleted' || mode === '160000' ? undefined : contents.get(object)
    if (bytes === undefined && status !== 'deleted' && mode !== '160000') without += 1
    const count = counts.get(path) ?? { binary: false, insertions: 0, deletions: 0 }
    const content = bytes === undefined ? undefined : await keep(bytes, mediaType(count.binary))
    files.push({
      path,
      ...(from === undefined ? {} : { from }),
      status,
      mode,
      ...count,
      ...(content === undefined ? {} : { content }),
    })
  }
  if (without > 0) omissions.push(`the contents of ${without} files are left out, as they are large or many`)
  return files
}

const mediaType = (binary: boolean) => (binary ? 'application/octet-stream' : 'text/plain; charset=utf-8')

/** A patch inline, or its beginning and the whole as a blob. */
const longPatch = async (bytes: Buffer, keep: SaveBytes): Promise<{ text: LongText; cut: boolean }> => {
  const cut = bytes.length > snapshotLimits.patch
  const kept = cut ? bytes.subarray(0, snapshotLimits.patch) : bytes
  const text = kept.toString('utf8')
  // Bytes that are not UTF-8 would be lost in an event's text: the blob keeps them.
  const exact = Buffer.byteLength(text) === kept.length && !text.includes('\uFFFD')
  if (text.length <= limits.inlineText && exact) return { text: { text }, cut }
  return {
    text: { text: preview(text, limits.preview), full: await keep(kept, 'text/x-diff; charset=utf-8') },
    cut,
  }
}

import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type BlobRef, blobRef, type Fact, limits } from '@berth/contract'
import type { BlobStore } from '../../blobs/port.ts'
import type { Secrets } from '../../secrets/secrets.ts'
import { HideStream } from './hide-stream.ts'
import { type Hider, hiderOf } from './hider.ts'

interface Parts {
  blobs: BlobStore
  secrets: Pick<Secrets, 'hidden'>
}

interface Facts {
  session: string
  project: string
  stamp?: number
  facts: Fact[]
}

/** Facts that name texts which people read. What a runner needs byte by byte, such as a checkpoint, is none of them. */
const withTexts: ReadonlySet<Fact['type']> = new Set(['block.completed', 'tool.result', 'workspace.snapshot'])

/**
 * Facts whose long texts in the blob store hold no value of a secret: a text that does is stored anew without it, and named
 * instead. `done`: removes what was replaced, once the facts are appended. Doing it again gives the same.
 */
export const hideInTexts = async (
  { blobs, secrets }: Parts,
  { session, project, stamp, facts }: Facts,
): Promise<{ facts: Fact[]; done: () => Promise<void> }> => {
  const concerned = facts.some(({ type }) => withTexts.has(type))
  const known = concerned ? await secrets.hidden(project, stamp) : undefined
  const hider = hiderOf(known)
  if (hider === undefined) return { facts, done: async () => undefined }
  const replaced = new Map<string, BlobRef>()
  const replace = async (ref: BlobRef): Promise<BlobRef> => {
    const place = `${session} ${ref.blob} ${known?.stamp}`
    const found =
      replaced.get(ref.blob) ?? (clean.has(place) ? ref : await hideBlob({ blobs, session, hider }, ref))
    if (found === ref) remember(place)
    else replaced.set(ref.blob, found)
    return found
  }
  const changed: Fact[] = []
  for (const fact of facts)
    changed.push(
      withTexts.has(fact.type) ? ({ ...fact, data: await eachRef(fact.data, replace) } as Fact) : fact,
    )
  return {
    facts: changed,
    done: async () => {
      for (const blob of replaced.keys()) await blobs.remove(session, blob)
    },
  }
}

/** Texts that were looked through: files of a workspace are told of after each turn. */
const clean = new Set<string>()
const rememberedTexts = 20_000

const remember = (place: string) => {
  clean.delete(place)
  clean.add(place)
  const [oldest] = clean
  if (clean.size > rememberedTexts && oldest !== undefined) clean.delete(oldest)
}

/** A value with each reference to a text replaced. */
const eachRef = async (value: unknown, replace: (ref: BlobRef) => Promise<BlobRef>): Promise<unknown> => {
  if (typeof value !== 'object' || value === null) return value
  const ref = blobRef.safeParse(value)
  if (ref.success) return ref.data.mediaType.startsWith('image/') ? value : replace(ref.data)
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) items.push(await eachRef(item, replace))
    return items
  }
  const entries: [string, unknown][] = []
  for (const [key, inner] of Object.entries(value)) entries.push([key, await eachRef(inner, replace)])
  return Object.fromEntries(entries)
}

interface Place {
  blobs: BlobStore
  session: string
  hider: Hider
}

/** Read twice rather than held in memory: once to see whether, and under which name, it is to be stored anew. */
const hideBlob = async ({ blobs, session, hider }: Place, ref: BlobRef): Promise<BlobRef> => {
  const before = await blobs.get(session, ref.blob)
  if (before === undefined) return ref
  const looked = await digest(before.content, hider)
  if (!looked.changed) return ref
  const again = await blobs.get(session, ref.blob)
  if (again === undefined) return ref
  const content = again.content.pipe(new HideStream(hider, 'latin1'))
  again.content.on('error', (error) => content.destroy(error))
  await blobs.put(session, { blob: looked.blob, content, maxBytes: limits.blob })
  return { ...ref, blob: looked.blob, size: looked.size }
}

const digest = async (content: Readable, hider: Hider) => {
  const hidden = new HideStream(hider, 'latin1')
  const hash = createHash('sha256')
  let size = 0
  await pipeline(content, hidden, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      hash.update(chunk)
      size += chunk.length
    }
  })
  return { changed: hidden.changed, blob: hash.digest('hex'), size }
}

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunnerClient } from '@berth/client'
import { type EventOf, limits, type StoredBlock } from '@berth/contract'
import type { AgentContent } from '../agent/live-agent.ts'

type PromptEvent = EventOf<'prompt.queued'>

export interface PromptsOptions {
  home: Pick<RunnerClient, 'events' | 'getBlob'>
  /** Where attached files go, and where the agent sees them. */
  attachments: { outside: string; inside: string }
}

/** Prompts as Claude Code takes them. */
export interface Prompts {
  /** Remembers a prompt that came by the inbox: it needs no request then. */
  seen(event: PromptEvent): void
  /** The content of the prompt in that event of the log, with blobs fetched and files put where the agent sees them. */
  content(seq: number, signal: AbortSignal): Promise<AgentContent[]>
}

const remembered = 16

export const createPrompts = (options: PromptsOptions): Prompts => {
  const recent = new Map<number, PromptEvent>()
  return {
    seen(event) {
      recent.set(event.seq, event)
      for (const seq of [...recent.keys()].slice(0, -remembered)) recent.delete(seq)
    },
    async content(seq, signal) {
      const event = recent.get(seq) ?? (await fetchPrompt(options, seq, signal))
      const blocks: AgentContent[] = []
      for (const [index, block] of event.data.content.entries())
        blocks.push(await toContent(options, { block, place: `${event.data.prompt}-${index + 1}`, signal }))
      return blocks
    },
  }
}

const fetchPrompt = async (
  { home }: PromptsOptions,
  seq: number,
  signal: AbortSignal,
): Promise<PromptEvent> => {
  for await (const event of home.events({ after: seq - 1, follow: false, signal })) {
    if (event.type === 'prompt.queued' && event.seq === seq) return event
    break
  }
  throw new Error(`the prompt in event ${seq} is not there`)
}

interface BlockToConvert {
  block: StoredBlock
  /** A directory name that no other block has. */
  place: string
  signal: AbortSignal
}

const toContent = async (
  options: PromptsOptions,
  { block, place, signal }: BlockToConvert,
): Promise<AgentContent> => {
  if (block.type === 'text') {
    const full = block.full === undefined ? undefined : await fetchBlob(options, block.full.blob, signal)
    return { type: 'text', text: full?.toString('utf8') ?? block.text }
  }
  const bytes = await fetchBlob(options, block.content.blob, signal)
  if (block.type === 'image') {
    const mediaType = imageTypes.find((type) => type === block.mediaType) ?? 'image/png'
    return { type: 'image', mediaType, data: bytes.toString('base64') }
  }
  return {
    type: 'file',
    name: block.name,
    path: await saveAttachment(options, { place, name: block.name, bytes }),
  }
}

const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const

/** Names have no slash; the two that are directories, and a leading dash, get an underscore before them. */
const safeName = (name: string): string => (/^(\.\.?$|-)/.test(name) ? `_${name}` : name)

const saveAttachment = async (
  { attachments }: PromptsOptions,
  { place, name, bytes }: { place: string; name: string; bytes: Buffer },
): Promise<string> => {
  await mkdir(join(attachments.outside, place), { recursive: true })
  await writeFile(join(attachments.outside, place, safeName(name)), bytes)
  return `${attachments.inside}/${place}/${safeName(name)}`
}

const fetchBlob = async ({ home }: PromptsOptions, blob: string, signal: AbortSignal): Promise<Buffer> => {
  const { stream } = await home.getBlob(blob, { signal })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > limits.blob) throw new Error(`blob ${blob} is larger than ${limits.blob} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

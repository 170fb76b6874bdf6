import type { Actor } from '../actor.ts'
import type { BlobRef, LongText, StoredBlock } from '../content.ts'
import type { AnyEvent, Event, EventOf } from '../events/event.ts'
import type { Question } from '../requests.ts'

/** One entry of the chat, in the order in which it began. */
export type TranscriptEntry =
  | {
      kind: 'prompt'
      id: string
      at: string
      sender: Actor
      content: StoredBlock[]
      state: 'queued' | 'taken' | 'withdrawn'
    }
  | ({
      kind: 'text' | 'thinking'
      id: string
      at: string
      turn: string
      parent?: string
      state: BlockState
    } & LongText)
  | ToolEntry
  | RequestEntry
  | {
      kind: 'turn-ended'
      id: string
      at: string
      turn: string
      result: EventOf<'turn.ended'>['data']['result']
      message: string
      durationMs: number
    }
  | { kind: 'notice'; id: string; at: string; level: 'info' | 'warning' | 'error'; message: string }

export type BlockState = 'open' | 'completed' | 'aborted'

export interface ToolEntry {
  kind: 'tool'
  id: string
  at: string
  turn: string
  parent?: string
  toolUse: string
  tool: string
  /** The input as JSON, as far as it is known. */
  text: string
  full?: BlobRef
  state: BlockState
  result?: LongText & { isError: boolean }
}

export interface RequestEntry {
  kind: 'permission' | 'question'
  id: string
  at: string
  turn: string
  tool?: string
  detail?: string
  input?: unknown
  questions?: Question[]
  state: 'open' | 'answered' | 'cancelled'
  answer?: unknown
}

/** The chat as a fold: `entries` by id (insertion order is the order of the chat). */
export interface Transcript {
  entries: Map<string, TranscriptEntry>
  /** Tool use id → entry id. */
  tools: Map<string, string>
}

export const emptyTranscript = (): Transcript => ({ entries: new Map(), tools: new Map() })

/**
 * Adds an event to a transcript, in place (a chat may be long). A completed block holds its whole text, so the fold is
 * the same with and without the deltas of completed blocks, which compaction deletes.
 */
export const foldTranscript = (transcript: Transcript, event: AnyEvent): void => {
  if (event.type === 'unknown') return
  const applier = appliers[event.type] as ((transcript: Transcript, event: Event) => void) | undefined
  applier?.(transcript, event)
}

type Appliers = { [T in Event['type']]?: (transcript: Transcript, event: EventOf<T>) => void }

const add = (transcript: Transcript, entry: TranscriptEntry) => {
  if (!transcript.entries.has(entry.id)) transcript.entries.set(entry.id, entry)
}

const change = (transcript: Transcript, id: string, edit: (entry: TranscriptEntry) => TranscriptEntry) => {
  const entry = transcript.entries.get(id)
  if (entry !== undefined) transcript.entries.set(id, edit(entry))
}

type BlockEntry = Extract<TranscriptEntry, { kind: 'text' | 'thinking' | 'tool' }>

const isBlock = (entry: TranscriptEntry): entry is BlockEntry =>
  entry.kind === 'text' || entry.kind === 'thinking' || entry.kind === 'tool'

type Notice = Pick<Extract<TranscriptEntry, { kind: 'notice' }>, 'level' | 'message'>

const notice = (transcript: Transcript, { seq, at }: Event, content: Notice) =>
  add(transcript, { kind: 'notice', id: `notice-${seq}`, at, ...content })

const setRequest = (transcript: Transcript, id: string, changes: Pick<RequestEntry, 'state' | 'answer'>) =>
  change(transcript, id, (entry) =>
    entry.kind === 'permission' || entry.kind === 'question' ? { ...entry, ...changes } : entry,
  )

const setPrompt = (transcript: Transcript, id: string, state: 'taken' | 'withdrawn') =>
  change(transcript, id, (entry) => (entry.kind === 'prompt' ? { ...entry, state } : entry))

const appliers: Appliers = {
  'prompt.queued': (transcript, { at, actor, data }) =>
    add(transcript, {
      kind: 'prompt',
      id: data.prompt,
      at,
      sender: actor,
      content: data.content,
      state: 'queued',
    }),
  'prompt.withdrawn': (transcript, { data }) => setPrompt(transcript, data.prompt, 'withdrawn'),
  'turn.started': (transcript, { data }) => setPrompt(transcript, data.prompt, 'taken'),
  'block.started': (transcript, { at, data }) => {
    const common = {
      id: data.block,
      at,
      turn: data.turn,
      parent: data.parent,
      text: '',
      state: 'open',
    } as const
    if (data.kind !== 'tool_use') return add(transcript, { ...common, kind: data.kind })
    transcript.tools.set(data.toolUse, data.block)
    add(transcript, { ...common, kind: 'tool', toolUse: data.toolUse, tool: data.tool })
  },
  'block.delta': (transcript, { data }) =>
    change(transcript, data.block, (entry) => {
      if (!isBlock(entry) || entry.state !== 'open' || data.offset > entry.text.length) return entry
      return { ...entry, text: entry.text.slice(0, data.offset) + data.text }
    }),
  'block.completed': (transcript, { data }) =>
    change(transcript, data.block, (entry) =>
      isBlock(entry) ? { ...entry, text: data.text, full: data.full, state: 'completed' } : entry,
    ),
  'block.aborted': (transcript, { data }) =>
    change(transcript, data.block, (entry) =>
      isBlock(entry) && entry.state === 'open' ? { ...entry, state: 'aborted' } : entry,
    ),
  'tool.result': (transcript, { data }) => {
    const { text, full, isError } = data
    change(transcript, transcript.tools.get(data.toolUse) ?? '', (entry) =>
      entry.kind === 'tool' ? { ...entry, result: { text, full, isError } } : entry,
    )
  },
  'permission.requested': (transcript, { at, data }) => {
    const { request, turn, tool, detail, input } = data
    add(transcript, { kind: 'permission', id: request, at, turn, tool, detail, input, state: 'open' })
  },
  'question.asked': (transcript, { at, data }) =>
    add(transcript, {
      kind: 'question',
      id: data.request,
      at,
      turn: data.turn,
      questions: data.questions,
      state: 'open',
    }),
  'permission.decided': (transcript, { data }) =>
    setRequest(transcript, data.request, { state: 'answered', answer: data.decision }),
  'question.answered': (transcript, { data }) =>
    setRequest(transcript, data.request, { state: 'answered', answer: data.answers }),
  'request.cancelled': (transcript, { data }) =>
    setRequest(transcript, data.request, { state: 'cancelled', answer: data.reason }),
  'request.withdrawn': (transcript, { data }) =>
    setRequest(transcript, data.request, { state: 'cancelled', answer: data.reason }),
  'turn.ended': (transcript, { seq, at, data }) =>
    add(transcript, {
      kind: 'turn-ended',
      id: `end-${seq}`,
      at,
      turn: data.turn,
      result: data.result,
      message: data.message,
      durationMs: data.durationMs,
    }),
  'runner.notice': (transcript, event) => notice(transcript, event, event.data),
  'session.failed': (transcript, event) =>
    notice(transcript, event, { level: 'error', message: event.data.message }),
  'start.failed': (transcript, event) =>
    notice(transcript, event, { level: 'error', message: event.data.message }),
  'model.error': (transcript, event) =>
    notice(transcript, event, { level: 'warning', message: event.data.message }),
  'generation.ended': (transcript, event) => {
    if (event.data.reason !== 'exited')
      notice(transcript, event, { level: 'warning', message: event.data.message })
  },
}

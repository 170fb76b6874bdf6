import type { Actor } from '../actor.ts'
import type { BlobRef, LongText, StoredBlock } from '../content.ts'
import type { AnyEvent, Event, EventOf } from '../events/event.ts'
import type { Question } from '../requests.ts'
import { type Notice, noticers } from './transcript-notices.ts'

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
  | ({ kind: 'notice'; id: string; at: string } & Notice)

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
  if (event.type === 'unknown' || Object.hasOwn(leftOut, event.type)) return
  const applier = (appliers as Partial<Record<Event['type'], Applier>>)[event.type]
  applier?.(transcript, event)
  const told = (noticers as Partial<Record<Event['type'], Noticer>>)[event.type]?.(event)
  if (told !== undefined)
    add(transcript, { kind: 'notice', id: `notice-${event.seq}`, at: event.at, ...told })
}

type Applier = (transcript: Transcript, event: Event) => void
type Noticer = (event: Event) => Notice | undefined
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

const setRequest = (transcript: Transcript, id: string, changes: Pick<RequestEntry, 'state' | 'answer'>) =>
  change(transcript, id, (entry) =>
    entry.kind === 'permission' || entry.kind === 'question' ? { ...entry, ...changes } : entry,
  )

const setPrompt = (transcript: Transcript, id: string, state: 'taken' | 'withdrawn') =>
  change(transcript, id, (entry) => (entry.kind === 'prompt' ? { ...entry, state } : entry))

const appliers = {
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
} satisfies Appliers

/** Events that have no place in a chat, and why: a new type of event doesn't compile without a decision. */
const leftOut: Record<Exclude<Event['type'], keyof typeof appliers | keyof typeof noticers>, string> = {
  'session.created': 'the chat begins after it',
  'session.settings_changed': 'the agent tells when it runs with them',
  'session.limits_changed': 'the session shows its limits',
  'session.updated': 'the session shows its title',
  'session.stop_requested': 'the session shows its phase',
  'session.resume_requested': 'the session shows its phase',
  'session.deleted': 'the session shows it',
  'session.restored': 'the session shows it',
  'turn.interrupt_requested': 'the end of the turn says so',
  'repository.retried': 'the repository shows its state',
  'workspace.restore_requested': 'what came of it is told',
  'operation.requested': 'who asked has the answer',
  'operation.completed': 'who asked has the answer',
  'operation.failed': 'who asked has the answer',
  'operation.cancelled': 'who asked has the answer',
  'generation.started': 'the session shows its phase',
  'model.usage': 'the session shows its usage',
  'runner.started': 'the session shows its phase',
  'start.step': 'the session shows its phase',
  'generation.step': 'the session shows its phase',
  'workspace.ready': 'the session shows its repositories',
  'workspace.snapshot': 'the changes are shown beside the chat',
  'agent.ready': 'the session shows its phase',
  'agent.status': 'it is what the session does right now',
  'agent.retrying': 'it is what the session does right now',
  'agent.resources': 'the session shows them',
  'agent.todos': 'the list is shown beside the chat',
  'agent.task': 'the tool use that started it is shown',
  'agent.raw': 'nobody knows how to show it',
}

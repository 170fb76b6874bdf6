import { z } from 'zod'
import { type Author, actor } from '../actor.ts'
import { runnerEvents } from './runner.ts'
import { backendEvents, peopleEvents } from './session.ts'

const dataSchemas = { ...peopleEvents, ...backendEvents, ...runnerEvents } as const

export type EventType = keyof typeof dataSchemas
export type EventData<T extends EventType> = z.infer<(typeof dataSchemas)[T]>
export type RunnerEventType = keyof typeof runnerEvents

/** Version of the event union. A reader keeps what it doesn't know. */
export const eventVersion = 1

/** Kinds that the backend appends too, when the runner that should have is gone. */
const sharedWithBackend: readonly EventType[] = [
  'turn.ended',
  'block.aborted',
  'session.stop_requested',
  'session.resume_requested',
  // The first prompt of a workflow.
  'prompt.queued',
]

/** The table who may append what. A runner can append only what a runner sees. */
export const mayAppend = (author: Author, type: string): boolean => {
  if (author === 'people') return Object.hasOwn(peopleEvents, type)
  if (author === 'runner') return Object.hasOwn(runnerEvents, type)
  return Object.hasOwn(backendEvents, type) || sharedWithBackend.some((shared) => shared === type)
}

const envelope = z.object({
  /** Place in the session's log: increases, with gaps after compaction. */
  seq: z.number().int().positive(),
  at: z.iso.datetime(),
  version: z.number().int().positive(),
  actor,
  /** Of a runner's fact: its number within the generation that saw it. */
  generation: z.number().int().positive().optional(),
  n: z.number().int().positive().optional(),
})

type Envelope = z.infer<typeof envelope>

/** What is appended: the log adds the rest. */
export type NewEvent = { [T in EventType]: { type: T; data: EventData<T> } }[EventType]

export type Event = { [T in EventType]: Envelope & { type: T; data: EventData<T> } }[EventType]
export type EventOf<T extends EventType> = Extract<Event, { type: T }>

/** An event of a newer writer: kept as it is. */
export type UnknownEvent = Envelope & { type: 'unknown'; originalType: string; data: unknown }
export type AnyEvent = Event | UnknownEvent

/** The wire form of an event, for documents: `data` depends on `type`. */
export const wireEvent = envelope.extend({ type: z.string(), data: z.unknown() })

export const isEventType = (type: string): type is EventType => Object.hasOwn(dataSchemas, type)

/** The schema of an event type's data. */
export const eventSchema = (type: EventType): z.ZodType => dataSchemas[type]

/** Every event type with its schema, for documents and tests. */
export const eventTypes = Object.keys(dataSchemas) as EventType[]

/** Reads an event. An unknown type, or a known one in a shape of the future, survives as `unknown`. */
export const parseEvent = (value: unknown): AnyEvent => {
  const { type, data, ...rest } = wireEvent.parse(value)
  const parsed = isEventType(type) ? eventSchema(type).safeParse(data) : undefined
  if (parsed?.success === true) return { ...rest, type, data: parsed.data } as Event
  return { ...rest, type: 'unknown', originalType: type, data }
}

/** A fact of a runner, as it is sent. */
export const fact = z
  .object({
    /** Number within the generation that saw it: 1, 2, 3 … */
    n: z.number().int().positive(),
    at: z.iso.datetime(),
    type: z.string().max(100),
    data: z.unknown(),
  })
  .transform((value, context) => {
    if (!Object.hasOwn(runnerEvents, value.type)) {
      context.addIssue({ code: 'custom', path: ['type'], message: `a runner can't append ${value.type}` })
      return z.NEVER
    }
    const parsed = runnerEvents[value.type as RunnerEventType].safeParse(value.data)
    for (const issue of parsed.error?.issues ?? [])
      context.addIssue({ code: 'custom', path: ['data', ...issue.path], message: issue.message })
    // Only what the schema knows is stored: everything else would have no limit.
    return { ...value, data: parsed.data }
  })

export type RunnerFactBody = { [T in RunnerEventType]: { type: T; data: EventData<T> } }[RunnerEventType]
export type Fact = { n: number; at: string } & RunnerFactBody

import { type Client, isApiError } from '@berth/client'
import type { AnyEvent, EventOf } from '@berth/contract'
import type { Person } from '../terminal/person.ts'
import type { Screen } from './screen.ts'

type RequestEvent = EventOf<'permission.requested'> | EventOf<'question.asked'>

export interface Dialogues {
  /** Learns of requests, and of answers that others gave. */
  push(event: AnyEvent): void
  /** From now on open requests are put to the person, one after another. */
  begin(): void
  /** Closes the open dialogue; resolves when the terminal is free. */
  end(): Promise<void>
}

export interface DialogueOptions {
  client: Client
  project: string
  session: string
  person: Person
  screen: Screen
  /** Before and after each dialogue, which needs the terminal for itself. */
  onTerminal(taken: boolean): void
}

/** Puts the agent's requests to the person at the terminal, in order; one that others answered disappears. */
export const createDialogues = (options: DialogueOptions): Dialogues => {
  const open = new Map<string, RequestEvent>()
  let began = false
  let current: { request: string; abort: AbortController; done: Promise<void> } | undefined

  const next = () => {
    const [event] = open.values()
    if (!began || current !== undefined || event === undefined) return
    const abort = new AbortController()
    const { request } = event.data
    const done = put(options, event, abort.signal).finally(() => {
      open.delete(request)
      current = undefined
      next()
    })
    current = { request, abort, done }
  }
  return {
    push: (event) => {
      if (event.type === 'permission.requested' || event.type === 'question.asked')
        open.set(event.data.request, event)
      const closed = closedBy(event)
      if (closed !== undefined) {
        open.delete(closed)
        if (current?.request === closed) current.abort.abort()
      }
      next()
    },
    begin: () => {
      began = true
      next()
    },
    end: async () => {
      began = false
      open.clear()
      current?.abort.abort()
      await current?.done
    },
  }
}

const closedBy = (event: AnyEvent): string | undefined => {
  switch (event.type) {
    case 'permission.decided':
    case 'question.answered':
    case 'request.cancelled':
    case 'request.withdrawn':
      return event.data.request
    default:
      return undefined
  }
}

const put = async (options: DialogueOptions, event: RequestEvent, signal: AbortSignal): Promise<void> => {
  const { screen, onTerminal } = options
  screen.hold()
  onTerminal(true)
  let note: string | undefined
  try {
    note = await dialogue(options, event, signal)
  } catch (error) {
    // Somebody else was faster: the log tells what they said.
    if (!isApiError(error) || error.code !== 'request_closed')
      note = error instanceof Error ? error.message : String(error)
  }
  onTerminal(false)
  screen.release()
  if (note !== undefined) screen.note(note)
}

const dialogue = async (
  { client, project, session, person }: DialogueOptions,
  event: RequestEvent,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const params = { project, session, request: event.data.request }
  if (event.type === 'permission.requested') {
    const body = await person.decide(event.data, signal)
    if (body !== undefined && !signal.aborted) return void (await client.decidePermission({ params, body }))
  } else {
    const answers = await person.answer(event.data, signal)
    if (answers !== undefined && !signal.aborted)
      return void (await client.answerQuestion({ params, body: { answers } }))
  }
  return signal.aborted ? undefined : 'Not answered. The agent waits; attach again to answer.'
}

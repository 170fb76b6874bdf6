import { isApiError, type StreamState } from '@berth/client'
import type { AnyEvent } from '@berth/contract'
import type { Context } from '../context.ts'
import { shortId } from '../session-ref.ts'
import type { LineInput } from '../terminal/line-input.ts'
import { createDialogues, type Dialogues } from './dialogues.ts'
import type { Outcome } from './outcome.ts'
import { jsonScreen, type Screen, textScreen } from './screen.ts'

export interface FollowOptions {
  project: string
  session: string
  /** Show what comes after this event. */
  after: number
  /** Show what came before a fork first. */
  history?: boolean
  /** From this event on, what comes is new: requests are put to the person. */
  liveFrom: number
  json: boolean
  /** Written scenarios answer: said so from the start, also when the log is read from its middle. */
  scripted?: boolean
  /** Also what is seldom of interest, such as checkpoints. */
  verbose?: boolean
  /** Ends the following when it gives an outcome. Missing: goes on until the person leaves. */
  until?: (event: AnyEvent) => Outcome | undefined
  /** The session has repositories: after the turn its changes are still told. */
  expectsChanges?: boolean
  /** Asks for prompts on a line at the bottom. */
  typing?: boolean
}

/** How long the changes of a turn are waited for once it ended. */
const changesWaitMs = 3000

/** Shows a session as it goes on, and lets the person at the terminal take part. */
export const follow = async (context: Context, options: FollowOptions): Promise<Outcome> => {
  const watch = createWatch(context, options)
  try {
    const stream = { after: options.after, signal: watch.signal, onState: watch.onState }
    if (options.history === true)
      for await (const event of context.client.history(options.project, options.session)) watch.show(event)
    if (options.liveFrom <= options.after) watch.goLive()
    for await (const event of context.client.events(options.project, options.session, stream)) {
      if (watch.push(event)) break
    }
  } finally {
    await watch.end()
  }
  return watch.outcome() ?? { kind: 'detached', message: 'Detached.' }
}

/** The state of one following. */
const createWatch = (context: Context, options: FollowOptions) => {
  const abort = new AbortController()
  const terminal = createTerminal(context, options, { leave: () => abort.abort() })
  const { screen, dialogues } = terminal
  let outcome: Outcome | undefined
  let snapshotOf: string | undefined
  let timer: NodeJS.Timeout | undefined
  let live = false
  let wasGone = false

  const goLive = () => {
    live = true
    dialogues?.begin()
    terminal.openLine()
  }
  const isOver = (event: AnyEvent): boolean => {
    if (event.type === 'workspace.snapshot') snapshotOf = event.data.turn
    const isRequest = event.type === 'permission.requested' || event.type === 'question.asked'
    if (outcome === undefined) outcome = options.until?.(event)
    else if (event.type === 'turn.started' || event.type === 'generation.ended') return true
    if (isRequest && live && dialogues === undefined && options.until !== undefined)
      outcome ??= {
        kind: 'person',
        message: `The agent waits for a person. Answer with: ${context.berth} attach ${shortId(options.session)}`,
      }
    if (outcome === undefined) return false
    if (outcome.kind !== 'turn' || options.expectsChanges !== true || snapshotOf === outcome.turn) return true
    timer ??= setTimeout(() => abort.abort(), changesWaitMs)
    return false
  }
  return {
    signal: abort.signal,
    outcome: () => outcome,
    goLive,
    onState: (state: StreamState) => {
      const isGone = state.state === 'reconnecting' && state.failures > 1
      if (isGone && !wasGone)
        screen.note('No connection to Berth; trying again until it is back. The session goes on.')
      if (state.state === 'connected' && wasGone) screen.note('Connected again.')
      if (isGone || state.state === 'connected') wasGone = isGone
    },
    show: (event: AnyEvent) => screen.push(event, false),
    push: (event: AnyEvent): boolean => {
      screen.push(event, live && dialogues !== undefined)
      if (event.type === 'turn.ended') terminal.rearm()
      dialogues?.push(event)
      if (!live && event.seq >= options.liveFrom) goLive()
      return isOver(event)
    },
    end: async () => {
      clearTimeout(timer)
      await terminal.close()
    },
  }
}

interface Terminal {
  screen: Screen
  dialogues: Dialogues | undefined
  openLine(): void
  /** The next Ctrl-C is a first one again. */
  rearm(): void
  close(): Promise<void>
}

/** Screen, dialogues and typing, as far as there is a person. */
const createTerminal = (
  context: Context,
  options: FollowOptions,
  { leave }: { leave: () => void },
): Terminal => {
  let line: LineInput | undefined
  let wantsLine = false
  const screen = options.json
    ? jsonScreen(context.out)
    : textScreen(context.out, { line: () => line, verbose: options.verbose, scripted: options.scripted })
  const interrupt = createInterrupt(context, options, { leave, screen })
  const openLine = () => {
    wantsLine = true
    if (options.typing !== true || line !== undefined) return
    line = context.openLine?.()
    line?.onInterrupt(interrupt.ask)
    line?.onEnd(leave)
    line?.onLine(
      (text) => void sendPrompt(context, options, text).catch((error: Error) => screen.note(error.message)),
    )
    line?.show()
  }
  const closeLine = () => {
    line?.hide()
    line?.close()
    line = undefined
  }
  const { person, client } = context
  const onTerminal = (taken: boolean) => (taken ? closeLine() : wantsLine && openLine())
  const dialogues =
    person === undefined || options.json
      ? undefined
      : createDialogues({
          client,
          project: options.project,
          session: options.session,
          person,
          screen,
          onTerminal,
        })
  const unsubscribe = context.onInterrupt(interrupt.ask)
  const close = async () => {
    wantsLine = false
    unsubscribe()
    await dialogues?.end()
    closeLine()
  }
  return { screen, dialogues, openLine, rearm: interrupt.rearm, close }
}

const sendPrompt = async ({ client }: Context, { project, session }: FollowOptions, content: string) => {
  if (content.trim() !== '') await client.createPrompt({ params: { project, session }, body: { content } })
}

/** The first Ctrl-C interrupts the turn, the second leaves. Without a turn the first one leaves. */
const createInterrupt = (
  { client }: Context,
  { project, session }: FollowOptions,
  { leave, screen }: { leave: () => void; screen: Screen },
) => {
  let asked = false
  const ask = () => {
    if (asked) return leave()
    asked = true
    client.interruptSession({ params: { project, session } }).then(
      () => screen.note('Ctrl-C again leaves; the session goes on.'),
      (error: unknown) => {
        if (isApiError(error) && error.code === 'no_turn') return leave()
        screen.note(error instanceof Error ? error.message : String(error))
      },
    )
  }
  const rearm = () => {
    asked = false
  }
  return { ask, rearm }
}

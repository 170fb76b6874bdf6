import { type EventOf, type HoldReason, type RunnerFactBody, turnMessageUuid } from '@berth/contract'
import type { AgentKeeper } from '../agent/keeper.ts'
import type { AgentContent, AgentTurnResult } from '../agent/live-agent.ts'

type TurnStarted = EventOf<'turn.started'>['data']
type TurnEnded = Extract<RunnerFactBody, { type: 'turn.ended' }>['data']

/** How a turn ends when not by the agent's own doing. */
export interface TurnEnding {
  result: 'interrupted' | 'failed'
  code: string
  message: string
}

export interface TurnsOptions {
  keeper: AgentKeeper
  /** Applies what has changed for the agent, before a turn begins. Never rejects. */
  refresh(signal: AbortSignal): Promise<void>
  prompt(seq: number, signal: AbortSignal): Promise<AgentContent[]>
  /** Does the conversation's transcript have a message with one of these uuids? */
  transcriptHas(conversation: string, uuids: readonly string[]): Promise<boolean>
  /** What the agent is told when it has the prompt already: what became of the one before, or why the turn was paused. */
  continuation(lost: string, paused: HoldReason | undefined): string
  /** Saves the workspace after a turn. Never rejects. */
  save(turn: string): Promise<void>
  emit(body: RunnerFactBody): void
  turnMinutes(): number
  now(): number
  /** How long an interrupted agent may take to say so before it is ended, in ms. Default 15,000. */
  interruptMs?: number
}

/** The turns of a session, one after the other. */
export interface Turns {
  /** A turn that the backend started. The same one again changes nothing. */
  start(turn: TurnStarted): void
  /** Ends the running turn early, if it is that one; its own result, when it comes first, counts. */
  end(turn: string, ending: TurnEnding): void
  /** Interrupts the running turn, if it is that one, without ending it: a later runner goes on with it. */
  pause(turn: string): void
  /** Ends whichever turn runs (unless it was paused) and resolves when it is saved and told, or at once. */
  stop(ending: TurnEnding): Promise<void>
  readonly current: string | undefined
  /** The agent's result; for the keeper. */
  onTurnResult(result: AgentTurnResult): void
  /** The agent ended and another one starts; for the keeper. */
  onAgentExit(message: string): void
}

interface Running {
  data: TurnStarted
  began: number
  deaths: number
  /** What became of the agent before; empty for the first one of this attempt. */
  lost: string
  delivered: boolean
  ending: TurnEnding | undefined
  /** It is not over when it stops here. */
  paused: boolean
  over: AbortController
  finish(result: Outcome): void
  done: Promise<void>
}

type Outcome = Pick<TurnEnded, 'result' | 'code' | 'message' | 'steps'>

/** Messages that continue a turn within the same attempt need uuids that no attempt uses. */
const continued = 100

export const createTurns = (options: TurnsOptions): Turns => {
  const { keeper, interruptMs = 15_000 } = options
  let running: Running | undefined
  let last = { turn: '', attempt: 0 }

  const deliver = async (turn: Running) => {
    const { data, deaths, over } = turn
    if (deaths === 0) await options.refresh(over.signal)
    const agent = await keeper.ready()
    const content = await contentFor(options, turn)
    if (over.signal.aborted || turn.ending !== undefined) return
    turn.delivered = true
    const uuid = turnMessageUuid(data.turn, deaths === 0 ? data.attempt : data.attempt + continued)
    agent.startTurn({ turn: data.turn, attempt: data.attempt, uuid, content })
  }
  const tryToDeliver = (turn: Running) => {
    deliver(turn).catch((error) => {
      if (turn.over.signal.aborted) return
      const why = error instanceof Error ? error.message : String(error)
      turn.finish({
        result: 'failed',
        code: 'not-delivered',
        message: `The prompt did not reach the agent: ${why}`,
      })
    })
  }
  const run = async (turn: Running, outcome: Promise<Outcome>) => {
    const minutes = options.turnMinutes()
    const limit = minutes * 60_000
    const message = `The turn was interrupted at its time limit of ${minutes} minutes.`
    const timer = setTimeout(() => end(turn, { result: 'interrupted', code: 'time-limit', message }), limit)
    tryToDeliver(turn)
    const result = await outcome
    clearTimeout(timer)
    turn.over.abort()
    const { turn: id, attempt } = turn.data
    await options.save(id)
    const durationMs = Math.max(0, Math.round(options.now() - turn.began))
    running = undefined
    if (turn.paused && result.result !== 'success') return
    options.emit({ type: 'turn.ended', data: { turn: id, attempt, durationMs, ...result } })
  }
  const end = (turn: Running, ending: TurnEnding) => {
    if (turn.ending !== undefined || turn.over.signal.aborted) return
    turn.ending = ending
    if (!turn.delivered) return turn.finish(ending)
    keeper.current?.interrupt().catch(() => undefined)
    const timer = setTimeout(() => {
      keeper.replace()
      turn.finish(ending)
    }, interruptMs)
    turn.over.signal.addEventListener('abort', () => clearTimeout(timer))
  }
  return {
    start(data) {
      if (data.turn === last.turn && data.attempt <= last.attempt) return
      last = data
      const { turn, outcome } = begin(data, options.now())
      running = turn
      turn.done = run(turn, outcome)
    },
    end(id, ending) {
      if (running?.data.turn === id) end(running, ending)
    },
    pause(id) {
      if (running?.data.turn !== id) return
      running.paused = true
      end(running, { result: 'interrupted', code: 'paused', message: 'The turn was paused.' })
    },
    async stop(ending) {
      if (running === undefined) return
      end(running, ending)
      await running.done
    },
    get current() {
      return running?.data.turn
    },
    onTurnResult({ turn, result, message, code, steps }) {
      if (running?.data.turn !== turn) return
      running.finish(outcomeOf({ result, message, code, steps }, running.ending))
    },
    onAgentExit(message) {
      if (running === undefined || running.over.signal.aborted) return
      running.deaths += 1
      running.lost = message
      const again = running.delivered
      running.delivered = false
      if (running.ending !== undefined) return running.finish(running.ending)
      if (running.deaths > 1)
        return running.finish({
          result: 'failed',
          code: 'agent-crashed',
          message: `Claude Code ended twice during this turn. ${message}`,
        })
      if (again) tryToDeliver(running)
    },
  }
}

const begin = (data: TurnStarted, began: number): { turn: Running; outcome: Promise<Outcome> } => {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const turn: Running = {
    data,
    began,
    deaths: 0,
    lost: '',
    delivered: false,
    ending: undefined,
    paused: false,
    over: new AbortController(),
    finish: resolve,
    done: Promise.resolve(),
  }
  return { turn, outcome: promise }
}

/** An interrupt that came too late changes nothing; one that hit is told with the reason that the agent can't know. */
const outcomeOf = (
  { result, message, code, steps }: Omit<AgentTurnResult, 'turn'>,
  ending: TurnEnding | undefined,
): Outcome => ({
  result,
  message,
  ...(code === undefined ? {} : { code }),
  ...(steps === undefined ? {} : { steps }),
  ...(result === 'success' ? {} : ending),
})

/** The prompt, or, when the transcript has it, the request to go on: no prompt is given to Claude Code twice. */
const contentFor = async (options: TurnsOptions, { data, lost, over }: Running): Promise<AgentContent[]> => {
  const { conversation } = options.keeper
  const attempts = Array.from({ length: data.attempt }, (_, index) => index + 1)
  const earlier = [...attempts, ...attempts.map((attempt) => attempt + continued)]
  const uuids = earlier.map((attempt) => turnMessageUuid(data.turn, attempt))
  const again = data.attempt > 1 || lost !== ''
  if (again && conversation !== undefined && (await options.transcriptHas(conversation, uuids)))
    return [{ type: 'text', text: options.continuation(lost, lost === '' ? data.paused : undefined) }]
  return options.prompt(data.promptSeq, over.signal)
}

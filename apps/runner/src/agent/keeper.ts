import type { AgentExit, AgentTurnResult, LaunchAgent, LiveAgent } from './live-agent.ts'

/** Keeps one Claude Code alive for as long as the session runs. */
export interface AgentKeeper {
  /** The one that runs, as soon as it takes turns. Rejects with AgentUnusable when none stays alive. */
  ready(): Promise<LiveAgent>
  /** The one that runs, ready or not. */
  readonly current: LiveAgent | undefined
  /** Resolves when the first one was started, ready or not. */
  readonly launched: Promise<void>
  /** The conversation that it works in, once that is known. */
  readonly conversation: string | undefined
  /** Ends the current one at once and starts another in the same conversation. */
  replace(): void
  /** Ends the current one politely, between turns, and starts another in the same conversation. */
  renew(): void
  /** Ends for good: politely, so that it writes down what it has. */
  close(): Promise<void>
  /** Ends for good, now. */
  kill(): void
}

export interface KeeperOptions {
  launch: LaunchAgent
  conversation: string | undefined
  /** Makes ready what the next one is shown: before each start, when none lives. Never rejects. */
  arrange?(): Promise<void>
  /** Is there anything of the conversation that can be gone on with? */
  canResume(conversation: string): Promise<boolean>
  /** The conversation can't be gone on with, and why: a new one begins. */
  onLost(reason: string): void
  onTurnResult(result: AgentTurnResult): void
  /** It ended though the session goes on; the next one is being started. */
  onExit(exit: AgentExit): void
  /** It ends again and again before it takes a turn: nothing more is tried. */
  onUnusable(exit: AgentExit): void
}

const noTranscript = 'Its transcript is not on this disk, or empty.'

/** Ends in a row before being ready. */
const maxFailures = 3

class AgentUnusable extends Error {
  override readonly name = 'AgentUnusable'
}

export const keepAgent = (options: KeeperOptions): AgentKeeper => {
  let { conversation } = options
  let current: LiveAgent | undefined
  let over: AgentUnusable | undefined
  let failures = 0
  /** The conversation that the last one was started with. */
  let resumed: string | undefined
  /** Conversations that Claude Code can't go on with, and why. */
  const broken = new Map<string, string>()
  let starting: Promise<void>

  const start = async () => {
    if (conversation !== undefined) {
      const reason =
        broken.get(conversation) ?? ((await options.canResume(conversation)) ? undefined : noTranscript)
      if (reason !== undefined) {
        conversation = undefined
        options.onLost(reason)
      }
    }
    await options.arrange?.()
    if (over !== undefined) return
    resumed = conversation
    const agent = options.launch({
      conversation,
      onTurnResult: (result) => agent === current && options.onTurnResult(result),
    })
    current = agent
    void agent.ready.then(
      () => {
        failures = 0
      },
      () => undefined,
    )
    void agent.exited.then((exit) => ended(agent, exit))
  }
  const ended = async (agent: LiveAgent, exit: AgentExit) => {
    const lost = await agent.lost
    if (over !== undefined || agent !== current) return
    conversation = agent.conversation ?? conversation
    current = undefined
    failures += 1
    if (failures >= maxFailures && resumed !== undefined && !broken.has(resumed)) {
      broken.set(resumed, `Claude Code could not start with its conversation: ${exit.message}`)
      failures = 0
    } else if (lost && resumed !== undefined) broken.set(resumed, exit.message)
    if (failures >= maxFailures) {
      over = new AgentUnusable(exit.message)
      return options.onUnusable(exit)
    }
    starting = start()
    options.onExit(exit)
  }
  const follow = (leave: (old: LiveAgent) => void) => {
    const old = current
    conversation = old?.conversation ?? conversation
    current = undefined
    if (old !== undefined) leave(old)
    starting = (old?.exited ?? Promise.resolve()).then(start)
  }
  const end = () => {
    over ??= new AgentUnusable('Claude Code was ended with its session.')
  }
  starting = start()
  const launched = starting
  return {
    launched,
    async ready() {
      for (;;) {
        await starting
        if (over !== undefined) throw over
        const agent = current
        const up = await agent?.ready.then(
          () => true,
          () => false,
        )
        if (up === true && agent !== undefined && agent === current) return agent
        if (up === false) await agent?.exited
      }
    },
    get current() {
      return current
    },
    get conversation() {
      return current?.conversation ?? conversation
    },
    replace: () => follow((old) => old.kill()),
    renew: () => follow((old) => void old.close()),
    async close() {
      end()
      await starting
      await current?.close()
    },
    kill() {
      end()
      current?.kill()
    },
  }
}

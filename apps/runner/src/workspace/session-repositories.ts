import type { AgentContent } from '../agent/live-agent.ts'
import { gitSurroundings, surroundingsFor } from '../git/git-surroundings.ts'
import type { Reactions } from '../inbox.ts'
import type { Session } from '../runner.ts'
import { isSlashCommand } from '../turn/slash-command.ts'
import { createNews } from './news.ts'
import { prepareWorkspace } from './prepare.ts'
import { createRepositories, type LiveParts } from './repositories.ts'
import { openMemory, type WorkspaceMemory } from './state.ts'

type Prompt = (seq: number, signal: AbortSignal) => Promise<AgentContent[]>

/** The repositories of a running session, tied to its turns and its agent. */
export interface SessionRepositories {
  memory: WorkspaceMemory
  /** Where the agent works: a repository's directory, or empty for the workspace. */
  directory: string
  /** Waits for what must not happen during a turn, and for clones, but not for long. Never rejects. */
  beforeTurn(signal: AbortSignal): Promise<void>
  /** Does what had to wait for the end of a turn. Never rejects. */
  afterTurn(): Promise<void>
  /** Adds to a prompt what the agent has to know of its repositories. */
  withNews(prompt: Prompt): Prompt
  /** Agent and turns are there. */
  goLive(exclusively: LiveParts['exclusively']): void
  reactions: Pick<Reactions, 'repositoryAdded' | 'repositoryRemoved' | 'repositoryRetried'>
}

/** How long a turn waits for clones that were begun before it, in ms. Then the agent is told that they come. */
const clonePatienceMs = 30_000

/** Prepares the workspace; throws a CloneError when the session can't start. */
export const openRepositories = async (session: Session): Promise<SessionRepositories> => {
  const { config, welcome, layout, sandbox, home, emit, live, log } = session
  const memory = await openMemory(layout.outside.state)
  const options = {
    welcome,
    layout,
    sandbox,
    memory,
    mirrorDirectory: config.mirrorDirectory,
    surroundings: gitSurroundings(config, process.env),
    surroundingsFor: surroundingsFor(config, home, process.env),
    emit,
    now: () => performance.now(),
  }
  const repositories = createRepositories(options)
  const news = createNews({ memory, repositories, layout })
  const problem = (error: unknown) => log.warn({ err: String(error).slice(0, 500) }, 'repositories')
  await prepareWorkspace({ ...options, repositories })
  return {
    memory,
    directory: memory.current.directory ?? '',
    async beforeTurn(signal) {
      const patience = AbortSignal.any([signal, AbortSignal.timeout(clonePatienceMs)])
      await repositories.settled(aborted(patience))
    },
    async afterTurn() {
      await news.markTold().catch(problem)
      await repositories.betweenTurns()
    },
    withNews: (prompt) => async (seq, signal) => {
      const content = await prompt(seq, signal)
      // With a slash command the note waits for the next prompt.
      if (isSlashCommand(content)) return content
      const note = news.note()
      return note === undefined ? content : [...content, { type: 'text', text: note }]
    },
    goLive: (exclusively) =>
      repositories.goLive({
        exclusively,
        working: () => live.turns?.current !== undefined,
        // One that is just being started comes up in the new directory anyway.
        restartAgent: () => live.keeper?.current !== undefined && live.keeper.replace(),
        problem,
      }),
    reactions: {
      repositoryAdded: repositories.add,
      repositoryRemoved: repositories.remove,
      repositoryRetried: repositories.retry,
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

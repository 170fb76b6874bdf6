import { gitSurroundings } from '../git/git-surroundings.ts'
import type { Session } from '../runner.ts'
import type { Workspace } from '../workspace/workspace.ts'
import { createBasePacks } from './base-pack.ts'
import { createCheckpointer } from './checkpointer.ts'
import { createMaker } from './make-checkpoint.ts'
import { createSaver, type Saver } from './saver.ts'

/** What git keeps of a tree may be larger than the tree, by its history. */
const historyBytes = 4 * 1024 ** 3

/** The saver of a session, with all that it needs. */
export const openSaver = (session: Session, workspace: Workspace): Saver => {
  const { config, home, layout, agentHome, sandbox, welcome, over, emit, log, live } = session
  const mostBytes = welcome.settings.checkpointMiB * 1024 ** 2 + historyBytes
  const onProblem = (error: unknown) =>
    log.warn({ message: error instanceof Error ? error.message.slice(0, 500) : String(error) }, 'checkpoint')
  const bases = createBasePacks({
    home,
    mirrorDirectory: config.mirrorDirectory,
    project: welcome.project,
    surroundings: gitSurroundings(config, process.env),
    mostBytes: 16 * 1024 ** 3,
    signal: over,
    onProblem,
  })
  const make = createMaker({
    session: welcome.session,
    home,
    bases,
    known: welcome.checkpoint,
    state: () => workspace.state,
    mostBytes,
    layout,
    agentHome,
    sandbox,
    signal: over,
    now: () => new Date(),
    onProblem,
  })
  const checkpointer = createCheckpointer({
    make,
    emit,
    signal: over,
    onProblem,
    now: () => performance.now(),
  })
  return createSaver({
    workspace,
    checkpointer,
    agentHome,
    conversation: () => live.keeper?.conversation,
    busy: () => live.turns?.current !== undefined,
  })
}

import { gitSurroundings, surroundingsFor } from '../git/git-surroundings.ts'
import type { Session } from '../runner.ts'
import { createMcpRelay } from './mcp-relay.ts'
import { createSessionSetup, type SessionSetup } from './session-setup.ts'
import { loadWorkflow } from './workflow.ts'

/** The set-up of a session's agent, with its real parts. `directory`: where Claude Code works, inside. */
export const openSetup = (session: Session, directory: string): SessionSetup => {
  const { config, welcome, layout, sandbox, kit, home, emit, log } = session
  const { backendUrl, token, mirrorDirectory } = config
  return createSessionSetup({
    welcome,
    layout,
    workspace: () => directory,
    kit,
    home,
    load: (source) =>
      loadWorkflow(source, {
        welcome,
        layout,
        sandbox,
        mirrorDirectory,
        surroundings: gitSurroundings(config, process.env),
        surroundingsFor: surroundingsFor(config, home, process.env),
      }),
    egressAuthority: session.door.egressAuthority,
    relay: (name) => createMcpRelay({ backendUrl, token, name }),
    emit,
    onProblem: (error) => log.warn({ err: String(error).slice(0, 500) }, 'set-up'),
  })
}

import type { AgentHome } from '../home/agent-home.ts'
import type { Workspace } from '../workspace/workspace.ts'
import type { Checkpointer, CheckpointReason } from './checkpointer.ts'

export interface SaverOptions {
  workspace: Workspace
  checkpointer: Checkpointer
  agentHome: Pick<AgentHome, 'listConversation'>
  /** Claude Code's id of the conversation. */
  conversation(): string | undefined
  /** Does a turn run? */
  busy(): boolean
  /** How often a long turn is saved, in ms. Default: five minutes. */
  intervalMs?: number
}

/** Saves a session: after each turn, within long ones, and when the runner ends. */
export interface Saver {
  /** Resolves when the files are saved on disk and a checkpoint of them is asked for: then the next turn may start. */
  afterTurn(turn: string): Promise<void>
  /** Asks for a checkpoint of what is there now. */
  now(reason: CheckpointReason): Promise<void>
  /** Resolves when no checkpoint is under way. */
  settled(): Promise<void>
  /** Reads all files for the first time, so that the first turn need not wait for it. */
  warm(): Promise<void>
  close(): void
}

export const createSaver = (options: SaverOptions): Saver => {
  const { workspace, checkpointer, agentHome, busy, intervalMs = 300_000 } = options
  const conversation = async () => {
    const id = options.conversation()
    if (id === undefined) return undefined
    return { id, files: await agentHome.listConversation().catch(() => []) }
  }
  const now = async (reason: CheckpointReason) => {
    // Before the first turn there is nothing that could be lost.
    if (workspace.state.turns === 0 && !busy()) return
    const saved = await workspace.saveQuietly()
    checkpointer.request({ reason, saved, conversation: await conversation() })
  }
  const timer = setInterval(() => busy() && void now('interval'), intervalMs)
  return {
    async afterTurn(turn) {
      const saved = await workspace.save(turn)
      checkpointer.request({ reason: 'turn', turn, saved, conversation: await conversation() })
    },
    now,
    settled: checkpointer.settled,
    warm: async () => void (await workspace.saveQuietly()),
    close: () => clearInterval(timer),
  }
}

import type { Agent, AgentExit, AgentOptions } from './agent.ts'
import { AgentError } from './agent-error.ts'
import { type AgentParts, createAgentParts } from './agent-parts.ts'
import { checkRules } from './claude-options.ts'
import { type ClaudeProcess, startClaude, startError } from './claude-process.ts'
import { systemClock } from './clock.ts'
import { createMcpWatch } from './mcp-watch.ts'
import { handleMessage } from './messages/table.ts'
import { createReadiness } from './readiness.ts'
import { userMessage } from './user-message.ts'

/** How long an idle Claude Code may take to end by itself before it is made to. */
const closeMs = 1500

interface Life {
  closing: boolean
  ended: boolean
}

/** Asks Claude Code to interrupt; one that has ended needs no more asking. */
const interruptLive = async (claude: ClaudeProcess, life: Life) => {
  if (!life.ended) await claude.live.interrupt().catch(() => {})
}

/** Reads Claude Code to its end and leaves nothing open. */
const follow = async (
  claude: ClaudeProcess,
  parts: AgentParts,
  options: { life: Life; onInit: ReturnType<typeof createReadiness>['update'] },
): Promise<AgentExit> => {
  const { life, onInit } = options
  const context = { ...parts.context, initialized: onInit }
  const error = await claude.read((message) => handleMessage(message, context))
  life.ended = true
  parts.context.blocks.abortAll(life.closing ? 'The agent was stopped.' : 'Claude Code ended.')
  parts.gate.withdrawAll(life.closing ? 'The agent was stopped.' : 'Claude Code ended.')
  return { error: life.closing ? undefined : error, turn: parts.turns.current()?.turn }
}

/** Resolves when the handshake is done and told; rejects when Claude Code ends before. */
const becomeReady = async (
  claude: ClaudeProcess,
  exited: Promise<AgentExit>,
  readiness: ReturnType<typeof createReadiness>,
) => {
  const exit = exited.then(({ error }): never => {
    throw startError(error)
  })
  // A failed handshake is told by the end that follows, which knows more.
  readiness.handshake(await Promise.race([claude.live.initializationResult().catch(() => exit), exit]))
}

/**
 * Starts one Claude Code that serves many turns.
 * @throws {AgentError} `no-executable`, `bad-rule`.
 */
export const createAgent = (options: AgentOptions): Agent => {
  checkRules(options.permissions)
  const life: Life = { closing: false, ended: false }
  const parts = createAgentParts(options, {
    interrupt: () => void interrupt(),
    turnEnded(result) {
      mcp.look()
      if (!life.closing) options.onTurnResult(result)
    },
  })
  const { gate, turns } = parts
  const claude = startClaude(options, gate)
  const readiness = createReadiness(options.emit, { conversation: claude.conversation, model: options.model })
  const mcp = createMcpWatch({
    ask: () => claude.live.mcpServerStatus(),
    disabled: options.setup?.disabledMcpServers ?? [],
    workflow: options.setup?.workflowMcpServers ?? [],
    errorOf: (name) => options.setup?.relayedMcpServers?.[name]?.lastError,
    emit: options.emit,
    clock: options.clock ?? systemClock,
  })
  const onInit: typeof readiness.update = (facts) => {
    readiness.update(facts)
    mcp.look()
  }
  const exited = follow(claude, parts, { life, onInit })
  void exited.then(mcp.stop)
  const ready = becomeReady(claude, exited, readiness)
  // Who doesn't wait for it hears of a failure from `exited`.
  ready.then(mcp.look, () => {})

  const interrupt = async () => {
    const running = turns.current()
    if (running === undefined) return
    running.interrupting = true
    await interruptLive(claude, life)
  }

  return {
    ready,
    exited,
    interrupt,
    decide: gate.decide,
    answer: gate.answer,
    setModel: (model) => claude.live.setModel(model),
    startTurn(turn) {
      if (life.ended || life.closing)
        throw new AgentError('ended', 'Claude Code has ended; start a new agent.')
      if (turns.current() !== undefined)
        throw new AgentError('busy', 'A turn is running; wait for its result.')
      turns.begin(turn)
      claude.send(userMessage(turn))
    },
    async close() {
      if (!life.closing && !life.ended) {
        life.closing = true
        // Interrupting first would record that a person stopped the agent, and a resume would go by that.
        if (turns.current() === undefined) claude.endInput()
        else claude.live.close()
        const cancel = (options.clock ?? systemClock).after(closeMs, () => claude.live.close())
        void exited.then(cancel)
      }
      await exited
    },
  }
}

import { limits, preview } from '@berth/contract'
import type { AgentOptions } from './agent.ts'
import { createBlockWriter } from './block-writer.ts'
import { systemClock } from './clock.ts'
import type { MessageContext } from './messages/context.ts'
import { createStreams } from './messages/streams.ts'
import { createPermissionGate, type PermissionGate } from './permission-gate.ts'
import { createTodoList } from './todo-list.ts'
import { describeTool } from './tool-words.ts'
import type { TurnResult } from './turn-result.ts'
import { createTurnTracker, type TurnTracker } from './turn-tracker.ts'

/** What an agent's parts tell it. */
export interface AgentEvents {
  /** The running turn is to be interrupted. */
  interrupt(): void
  turnEnded(result: TurnResult): void
}

/** What reads and reports for one agent. */
export interface AgentParts {
  gate: PermissionGate
  turns: TurnTracker
  context: Omit<MessageContext, 'initialized'>
}

/** Makes an agent's parts; they start nothing. */
export const createAgentParts = (options: AgentOptions, events: AgentEvents): AgentParts => {
  const { emit, ids, clock = systemClock, workspace: cwd, env } = options
  let lastStatus = ''
  const status = (words: string) => {
    if (words === '' || words === lastStatus) return
    lastStatus = words
    emit({ type: 'agent.status', data: { status: preview(words, 200) } })
  }
  const blocks = createBlockWriter({ emit, newId: ids.block, clock })
  const turns = createTurnTracker({
    clock,
    last: options.lastTurn,
    onTaken(turn) {
      if (turn.interrupting) events.interrupt()
    },
    onResult(result) {
      lastStatus = ''
      gate.turnEnded()
      events.turnEnded(result)
    },
  })
  const gate: PermissionGate = createPermissionGate({
    rules: options.permissions,
    places: { cwd, home: env.HOME },
    emit,
    newId: ids.request,
    turn: turns.place,
    interrupt: events.interrupt,
  })
  const todos = createTodoList({ emit, turn: turns.place })
  const streams = createStreams({
    blocks,
    turns,
    onBlock(kind) {
      if (kind !== 'tool_use') status(kind === 'thinking' ? 'Thinking' : 'Writing')
    },
    onTool(tool, input, toolUse) {
      todos.used(tool, toolUse)
      status(describeTool(tool, input, cwd).doing)
    },
  })
  const refused = (tool: string, rule: string) => {
    const turn = turns.place()
    if (turn === undefined) return
    const data = { turn, tool: preview(tool, 200), rule: preview(rule, limits.permissionRule) }
    emit({ type: 'permission.ruled', data: { ...data, behavior: 'deny' } })
  }
  const { ruled } = gate
  return { gate, turns, context: { cwd, emit, blocks, streams, turns, todos, status, ruled, refused } }
}

import type { EventData, RunnerEventType, RunnerFactBody } from '@berth/contract'
import type { Log } from '../log.ts'

type Details = { [T in RunnerEventType]?: (data: EventData<T>) => object }

/** The facts that make the course of a session, and what is said of each: nothing that the agent or a person wrote. */
const details: Details = {
  'start.step': ({ step, state, ms }) => ({ step, state, ms }),
  'start.failed': ({ reason }) => ({ reason }),
  'isolation.tested': ({ sandbox, ok }) => ({ sandbox, ok }),
  'workspace.ready': ({ repositories }) => ({ repositories: repositories.length }),
  'repository.state': ({ name, state, ms }) => ({ name, state, ms }),
  'checkpoint.saved': ({ number, reason, size, ms }) => ({ number, reason, size, ms }),
  'checkpoint.failed': ({ reason }) => ({ reason }),
  'workspace.restored': ({ checkpoint, files, ms }) => ({ checkpoint, files, ms }),
  'workspace.restore_failed': ({ checkpoint }) => ({ checkpoint }),
  'operation.completed': ({ operation, result }) => ({ operation, kind: result.kind }),
  'operation.failed': ({ operation, error }) => ({ operation, code: error.code }),
  'agent.ready': ({ version, model }) => ({ version, model }),
  'agent.exited': ({ reason }) => ({ reason }),
  'agent.mcp': ({ servers }) => ({ servers: servers.map(({ name, status }) => `${name} ${status}`) }),
  'conversation.rebuilt': ({ turns }) => ({ turns }),
  'workflow.loaded': ({ commit }) => ({ commit }),
  'workflow.failed': () => ({}),
  'turn.ended': ({ turn, attempt, result, code, durationMs }) => ({
    turn,
    attempt,
    result,
    code,
    durationMs,
  }),
}

/** Logs a fact as it is emitted, if it belongs to the course of the session. */
export const logFact = (log: Log, { type, data }: RunnerFactBody): void => {
  const pick = details[type] as ((data: unknown) => object) | undefined
  if (pick !== undefined) log.info(pick(data), type)
}

import { createRunnerClient } from '@berth/client'
import { pino } from 'pino'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { splitLines } from './lines.ts'
import { fromPino } from './pino-lines.ts'
import { createRedactor } from './redact.ts'
import { createLogShipper } from './shipper.ts'

export interface OpenLog {
  log: Log
  /** Takes what the agent writes to its error output. */
  onAgentOutput(text: string): void
  /** Sends what is left, for at most so many ms. */
  close(ms: number): Promise<void>
}

const sendTimeoutMs = 5000

/** The runner's log: on this machine for the operator, and without secrets at home for those who may read it. */
export const openLog = (config: Config): OpenLog => {
  const { session, generation, backendUrl: baseUrl, token, logLevel } = config
  // It tries again by itself, so that what waits stays bounded.
  const home = createRunnerClient({ baseUrl, token, retry: { attempts: 1 }, timeoutMs: sendTimeoutMs })
  const shipper = createLogShipper({
    send: (lines, signal) => home.logs({ lines }, { signal }),
    now: () => new Date(),
  })
  const redact = createRedactor([token])
  const agent = splitLines((line) => shipper.push({ source: 'agent', text: redact(line) }))
  const toHome = {
    write: (json: string) => {
      const { level, text } = fromPino(json)
      shipper.push({ source: 'runner', level, text: redact(text) })
    },
  }
  const operators = logLevel === 'silent' ? [] : [{ level: logLevel, stream: pino.destination(1) }]
  const log = pino(
    { level: logLevel === 'debug' ? 'debug' : 'info', base: { session, generation } },
    pino.multistream([...operators, { level: 'info', stream: toHome }]),
  )
  return {
    log,
    onAgentOutput: agent.push,
    close: async (ms) => {
      agent.end()
      await shipper.close(ms)
    },
  }
}

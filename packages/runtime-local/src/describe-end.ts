import { constants } from 'node:os'
import type { EndReason, RunnerEnded } from '@berth/runtime'

/** The code that a supervisor wrote, in the port's words. */
export const describeEnd = (
  code: number | undefined,
  logTail: string,
): Pick<RunnerEnded, 'reason' | 'exitCode' | 'signal' | 'message'> => {
  if (code === undefined) return { reason: 'lost', message: lostMessage }
  const signal = signalOf(code)
  const reason: EndReason = code === 0 ? 'exited' : signal ? 'killed' : 'crashed'
  const what = signal ? `was ended by ${signal}${hint(signal)}` : `exited with code ${code}`
  const tail = code === 0 || !logTail ? '' : `\nThe end of its log:\n${logTail}`
  return { reason, ...(signal ? { signal } : { exitCode: code }), message: `The runner ${what}.${tail}` }
}

const lostMessage =
  'The runner is gone and nothing recorded how it ended: the machine was restarted, or its supervisor was killed.'

const hint = (signal: string): string =>
  signal === 'SIGKILL' ? ' (by force, or because the machine ran out of memory)' : ''

const signalOf = (code: number): string | undefined =>
  Object.entries(constants.signals).find(([, number]) => code === number + 128)?.[0]

import type { LogLine } from '@berth/contract'

const levels = new Map([
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
] as const)

/** A line of pino's as a person reads it: the message, and what it was told along with it as JSON. */
export const fromPino = (json: string): Pick<LogLine, 'level' | 'text'> => {
  const {
    level,
    msg = '',
    time: _,
    pid: __,
    hostname: ___,
    session: ____,
    generation: _____,
    ...rest
  } = JSON.parse(json)
  const details = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
  return { level: levels.get(level), text: `${msg}${details}` }
}

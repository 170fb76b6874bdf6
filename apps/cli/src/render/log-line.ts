import type { StoredLogLine } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { clock } from './duration.ts'

const looks = { debug: 'dim', info: 'dim', warn: 'yellow', error: 'red' } as const

/** A line of the runner's log: when, whose, and what. */
export const logLineText = ({ at, source, level, text }: StoredLogLine, style: Style): string => {
  const grade = level === undefined ? '' : `${style[looks[level]](level)} `
  return `${style.dim(clock(at))} ${style[source === 'runner' ? 'cyan' : 'magenta'](source.padEnd(6))} ${grade}${safeLine(text)}`
}

import type { EventOf } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { duration } from './duration.ts'

/** The steps of a start as they end, each with its duration. */
export const createStartSteps = (style: Style, told: Set<string>) => {
  const begun = new Map<string, number>()
  return (event: EventOf<'start.step'> | EventOf<'generation.step'>): string | undefined => {
    const { step, state, ms, message } = event.data
    const item = 'item' in event.data ? event.data.item : undefined
    const key = `${step} ${item ?? ''}`
    const name = safeLine(`${step}${item === undefined ? '' : ` ${item}`}`)
    if (state === 'started') {
      begun.set(key, Date.parse(event.at))
      return undefined
    }
    const took = ms ?? Math.max(0, Date.parse(event.at) - (begun.get(key) ?? Date.parse(event.at)))
    if (message !== undefined) told.add(message)
    const said = message === undefined ? '' : `: ${safeLine(message)}`
    const sign = state === 'done' ? style.green('✓') : style.red('✗')
    return `  ${sign} ${name}${said} ${style.dim(duration(took))}`
  }
}

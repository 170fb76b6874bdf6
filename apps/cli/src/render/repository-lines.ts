import type { AnyEvent, EventOf } from '@berth/contract'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { duration } from './duration.ts'

/** How far repositories are that a live session is given; at its start the steps tell the same. */
export const createRepositoryLines = (style: Style, told: Set<string>) => {
  const bySteps = new Set<string>()

  const line = ({ data }: EventOf<'repository.state'>): string | undefined => {
    const name = safeLine(data.name)
    if (data.state === 'failed') {
      const message = data.message ?? 'unknown'
      if (told.has(message)) return undefined
      told.add(message)
      return style.red(`✗ ${name} could not be cloned: ${safeText(message)}`)
    }
    if (data.state === 'ready' && !bySteps.has(data.name))
      return `  ${style.green('✓')} clone ${name} ${data.ms === undefined ? '' : style.dim(duration(data.ms))}`.trimEnd()
    return data.state === 'removed' ? style.dim(`  ${name} is gone from the workspace`) : undefined
  }
  return (event: AnyEvent): string | undefined => {
    if (event.type === 'start.step' && event.data.step === 'clone' && event.data.item !== undefined)
      bySteps.add(event.data.item)
    if (event.type === 'agent.ready') bySteps.clear()
    return event.type === 'repository.state' ? line(event) : undefined
  }
}

import type { AnyEvent, EventOf } from '@berth/contract'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { createBlockView } from './blocks.ts'
import { eventLine } from './event-line.ts'
import { createLiveText } from './live-text.ts'
import { createStartSteps } from './start-steps.ts'

/** A session as it is told on a terminal, event by event. */
export interface LiveView {
  /** What to write for this event; may be nothing. */
  push(event: AnyEvent): string
  /** The cursor stands at the beginning of a line. */
  atLineStart(): boolean
}

export const createLiveView = (options: { style: Style; columns: () => number }): LiveView => {
  const { style } = options
  const out = createLiveText()
  const blocks = createBlockView(out, options)
  const step = createStartSteps(style)

  const prompt = (event: EventOf<'prompt.queued'>) => {
    blocks.settle()
    out.gap()
    const name = safeLine(event.actor.name ?? event.actor.id)
    const parts = event.data.content.map((block) =>
      block.type === 'text'
        ? safeText(block.text)
        : style.dim(`[${block.type}${block.type === 'file' ? ` ${safeLine(block.name)}` : ''}]`),
    )
    out.line(`${style.cyan('›')} ${style.bold(parts.join(' '))}  ${style.dim(name)}`)
  }
  const tell = (event: AnyEvent) => {
    switch (event.type) {
      case 'block.started':
        return blocks.started(event)
      case 'block.delta':
        return blocks.delta(event)
      case 'block.completed':
        return blocks.completed(event)
      case 'block.aborted':
        return blocks.aborted(event)
      case 'tool.result':
        return blocks.result(event)
      case 'prompt.queued':
        return prompt(event)
      default: {
        if (endsText.has(event.type)) blocks.settle()
        const line = event.type === 'start.step' ? step(event) : eventLine(event, style)
        if (line === undefined) return
        if (event.type === 'turn.ended') out.gap()
        blocks.line(line)
      }
    }
  }
  return {
    push: (event) => {
      tell(event)
      return out.take()
    },
    atLineStart: out.atLineStart,
  }
}

/** After these no open text goes on. */
const endsText = new Set<AnyEvent['type']>([
  'turn.ended',
  'generation.ended',
  'session.failed',
  'permission.requested',
  'question.asked',
])

import type { AnyEvent, EventOf } from '@berth/contract'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'

/**
 * Prompts as lines. One that comes while a turn runs is told as waiting, and again when its turn comes; who sent it is
 * told when it is not the one who made the session.
 */
export const createPromptLines = (style: Style) => {
  const waiting = new Map<string, string>()
  let owner: string | undefined
  let isBusy = false

  const queued = (event: EventOf<'prompt.queued'>): string => {
    const text = textOf(event, style)
    const isOther = owner !== undefined && owner !== event.actor.id
    const name = isOther ? `  ${style.dim(safeLine(event.actor.name ?? event.actor.id))}` : ''
    const line = `${style.cyan('›')} ${style.bold(text)}${name}`
    if (!isBusy) return line
    waiting.set(event.data.prompt, line)
    return `${style.dim('›')} ${text}${name}  ${style.dim('(waits for its turn)')}`
  }
  return {
    line: (event: AnyEvent): string | undefined => {
      switch (event.type) {
        case 'session.created':
          owner = event.actor.id
          return undefined
        case 'prompt.queued':
          return queued(event)
        case 'turn.started': {
          const line = waiting.get(event.data.prompt)
          waiting.delete(event.data.prompt)
          isBusy = true
          return line
        }
        case 'turn.ended':
          isBusy = false
          return undefined
        default:
          return undefined
      }
    },
  }
}

const textOf = (event: EventOf<'prompt.queued'>, style: Style): string =>
  event.data.content
    .map((block) => {
      if (block.type === 'text') return safeText(block.text).trimEnd().replaceAll('\n', '\n  ')
      return style.dim(`[${block.type}${block.type === 'file' ? ` ${safeLine(block.name)}` : ''}]`)
    })
    .join(' ')

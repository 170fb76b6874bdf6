import type { AnyEvent } from '@berth/contract'
import { createLiveView } from '../render/live-view.ts'
import type { LineInput } from '../terminal/line-input.ts'
import type { Output } from '../terminal/output.ts'
import { safeJson } from '../terminal/safe-text.ts'

/** Where a followed session is shown. */
export interface Screen {
  push(event: AnyEvent): void
  /** A word of the command itself, not of the session. */
  note(text: string): void
  /** Keeps back what comes, while a dialogue has the terminal. */
  hold(): void
  release(): void
}

/** The event as it is on the wire. */
const toWire = (event: AnyEvent): unknown => {
  if (event.type !== 'unknown') return event
  const { originalType, ...rest } = event
  return { ...rest, type: originalType }
}

/** One JSON object a line. */
export const jsonScreen = (out: Output): Screen => ({
  push: (event) => out.line(safeJson(toWire(event))),
  note: () => undefined,
  hold: () => undefined,
  release: () => undefined,
})

/** Text for a person; `line`, if there is one, is moved out of the way of everything that is written. */
export const textScreen = (out: Output, line: () => LineInput | undefined): Screen => {
  const view = createLiveView({ style: out.style, columns: out.columns })
  let held: string[] | undefined
  const write = (text: string) => {
    if (held !== undefined) return void held.push(text)
    if (text !== '') {
      line()?.hide()
      out.write(text)
    }
    if (view.atLineStart()) line()?.show()
  }
  return {
    push: (event) => write(view.push(event)),
    note: (text) => write(`${view.atLineStart() ? '' : '\n'}${out.style.dim(text)}\n`),
    hold: () => {
      line()?.hide()
      held ??= []
    },
    release: () => {
      const texts = held ?? []
      held = undefined
      write(texts.join(''))
    },
  }
}

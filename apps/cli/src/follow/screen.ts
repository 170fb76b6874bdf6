import type { AnyEvent } from '@berth/contract'
import { createLiveView, type LiveViewOptions } from '../render/live-view.ts'
import type { LineInput } from '../terminal/line-input.ts'
import type { Output } from '../terminal/output.ts'
import { safeJson } from '../terminal/safe-text.ts'

/** Where a followed session is shown. */
export interface Screen {
  /** `dialogue`: a person is about to be asked, so requests need no line of their own. */
  push(event: AnyEvent, dialogue: boolean): void
  /** A word of the command itself, not of the session. */
  note(text: string): void
  /** Keeps back what comes, while a dialogue has the terminal. */
  hold(): void
  release(): void
}

/** The event as it is on the wire. */
export const toWire = (event: AnyEvent): unknown => {
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

const isRequest = ({ type }: AnyEvent): boolean =>
  type === 'permission.requested' || type === 'question.asked'

/** Text for a person; `line`, if there is one, is moved out of the way of everything that is written. */
export const textScreen = (
  out: Output,
  { line, ...told }: { line(): LineInput | undefined } & Pick<LiveViewOptions, 'verbose' | 'scripted'>,
): Screen => {
  const wrapAt = () => (out.isTty ? out.columns() : Infinity)
  const view = createLiveView({ style: out.style, columns: out.columns, wrapAt, ...told })
  let held: string[] | undefined
  let begun = ''
  /** While a person can type, only whole lines are written, so that what they type stays in sight below. */
  const wholeLines = (text: string): string => {
    const all = begun + text
    const end = line() === undefined || view.atLineStart() ? all.length : all.lastIndexOf('\n') + 1
    begun = all.slice(end)
    return all.slice(0, end)
  }
  const write = (told: string) => {
    if (held !== undefined) return void held.push(told)
    const text = wholeLines(told)
    if (text !== '') {
      line()?.hide()
      out.write(text)
    }
    if (begun !== '' || view.atLineStart()) line()?.show()
  }
  return {
    push: (event, dialogue) => write(view.push(event, dialogue && isRequest(event))),
    note: (text) => write(view.note(out.style.dim(text))),
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

import type { KnownSecrets } from '../../secrets/secrets.ts'
import { formsOf } from './forms.ts'
import { Matcher } from './matcher.ts'

/** The beginning of a form of a secret, by its name: what stands for it where the text itself may not stand. */
export interface Opening {
  name: string
  version: number
  form: number
  units: number
}

export interface Pattern {
  name: string
  version: number
  form: number
  text: string
  /** What stands in its place. */
  mark: string
}

/** A text up to where it is decided, and the rest. */
export interface Hidden {
  /** The text with each secret replaced, in pieces: from the raw place `from` up to the next one's. */
  text: string
  /** Raw units at the end that may be the beginning of a secret; their first `covered` units are hidden already. */
  open: Opening | undefined
  covered: number
}

/** What is read back of an end that was not decided. */
export interface Pending {
  raw: string
  covered: number
}

/** Hides the values of a project's secrets in texts. Overlapping ones are hidden as one. */
export class Hider {
  readonly matcher: Matcher
  readonly #patterns: readonly Pattern[]

  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns
    this.matcher = new Matcher(patterns.map(({ text }) => text))
  }

  /** A whole text. The same string back: nothing was hidden. */
  whole(text: string): string {
    return this.#render(text, { covered: 0, last: true }).text
  }

  /** A text of which only the beginning is known: without an end that may be the beginning of a secret. */
  beginning(text: string): string {
    return this.#render(text, { covered: 0, last: false }).text
  }

  /** A piece of a text, as far as it is decided. */
  part({ raw, covered }: Pending): Hidden {
    return this.#render(raw, { covered, last: false })
  }

  /** The last piece of a text. */
  last({ raw, covered }: Pending): string {
    return this.#render(raw, { covered, last: true }).text
  }

  /** The text of an opening; undefined: its secret is not known any more. */
  textOf({ name, version, form, units }: Opening): string | undefined {
    return this.#patterns
      .find((one) => one.name === name && one.version === version && one.form === form)
      ?.text.slice(0, units)
  }

  #render(text: string, { covered, last }: { covered: number; last: boolean }): Hidden {
    const { matches, open } = this.matcher.find(text)
    const cut = last ? text.length : text.length - open.units
    let out = ''
    let done = covered
    for (const { start, end, pattern } of runsOf(matches)) {
      if (start < done) done = Math.max(done, end)
      else if (start < cut) {
        out += text.slice(done, start) + (this.#patterns[pattern]?.mark ?? '')
        done = end
      }
    }
    if (done < cut) out += text.slice(done, cut)
    return { text: out, covered: Math.max(0, done - cut), open: last ? undefined : this.#opening(open) }
  }

  #opening({ units, pattern }: { units: number; pattern: number }): Opening | undefined {
    const found = this.#patterns[pattern]
    if (found === undefined || units === 0) return undefined
    const { name, version, form } = found
    return { name, version, form, units }
  }
}

/** By their start, the longest first. */
const runsOf = <M extends { start: number; end: number }>(matches: readonly M[]): M[] =>
  [...matches].sort((a, b) => a.start - b.start || b.end - a.end)

export const patternsOf = ({ items }: Pick<KnownSecrets, 'items'>): Pattern[] =>
  items.flatMap(({ name, version, value }) =>
    formsOf(value).map((text, form) => ({ name, version, form, text, mark: markOf(name, text) })),
  )

/** Never longer than what it stands for, so that no text grows beyond its limit. */
const markOf = (name: string, text: string): string => {
  const named = `[secret:${name}]`
  return named.length <= text.length ? named : '[secret]'
}

/** Hiders take long to make and are used again: the last ones, by what they hide. */
const made = new Map<string, { known: KnownSecrets; hider: Hider }>()
const remembered = 64

/** The hider of what is known; undefined: there is nothing to hide. Pure: it remembers only what it would make again. */
export const hiderOf = (known: KnownSecrets | undefined): Hider | undefined => {
  if (known === undefined || known.items.length === 0) return undefined
  const before = made.get(known.project)
  if (before !== undefined && same(before.known, known)) return before.hider
  const hider = new Hider(patternsOf(known))
  made.delete(known.project)
  made.set(known.project, { known, hider })
  for (const [oldest] of made) if (made.size > remembered) made.delete(oldest)
  return hider
}

const same = (a: KnownSecrets, b: KnownSecrets): boolean =>
  a === b ||
  (a.stamp === b.stamp &&
    a.items.length === b.items.length &&
    a.items.every((item, i) => {
      const other = b.items[i]
      return item.name === other?.name && item.version === other.version && item.value === other.value
    }))

import { formsOf } from '../session/redact/forms.ts'

/** Whose values are never forgotten: those of the installation. */
const installation = ''
/** Forms are no shorter (`forms.ts`): by their beginnings they are found. */
const beginning = 8
const usualLimits = { groups: 200, units: 8_000_000 }
const mark = '[secret]'

/** Tokens that Berth makes, and signed ones of issuers: known by their form. */
const tokens =
  /\b(?:brt_[A-Za-z0-9_-]{16,}|usr\.[A-Za-z0-9_-]{16,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)/g

interface Group {
  values: Set<string>
  forms: string[]
  units: number
}

/**
 * The values that this process has had in its hands, of all projects: for its own log, which belongs to none. What a text
 * costs does not depend on how many there are. Bounded: of the project whose values were used the longest ago, they are
 * forgotten first.
 */
export class KnownValues {
  readonly #limits: { groups: number; units: number }
  /** The last used at the end. */
  readonly #groups = new Map<string, Group>()
  /** By their first units; how many groups have each. */
  readonly #forms = new Map<string, Map<string, number>>()
  #units = 0

  constructor(limits: Partial<typeof usualLimits> = {}) {
    this.#limits = { ...usualLimits, ...limits }
  }

  /** Values that no line may show from now on, of a project; default: of the installation. */
  know(values: readonly (string | undefined)[], project = installation): void {
    const group = this.#groups.get(project) ?? { values: new Set(), forms: [], units: 0 }
    for (const value of values) if (value !== undefined && !group.values.has(value)) this.#add(group, value)
    this.#groups.delete(project)
    if (group.values.size > 0) this.#groups.set(project, group)
    for (const [oldest, { units }] of this.#groups) {
      if (this.#groups.size <= this.#limits.groups && this.#units <= this.#limits.units) return
      if (oldest === installation || oldest === project) continue
      for (const form of this.#groups.get(oldest)?.forms ?? []) this.#drop(form)
      this.#units -= units
      this.#groups.delete(oldest)
    }
  }

  /** The text without any value that is known, and without tokens. */
  hide(text: string): string {
    return this.#hideKnown(text).replace(tokens, mark)
  }

  #hideKnown(text: string): string {
    if (this.#forms.size === 0) return text
    let out = ''
    let done = 0
    for (let at = 0; at + beginning <= text.length; at++) {
      const end = this.#endAt(text, at)
      if (end <= done) continue
      // What begins inside another one belongs to the same mark.
      if (at >= done) out += text.slice(done, at) + mark
      done = end
    }
    return done === 0 ? text : out + text.slice(done)
  }

  /** Where the longest value that begins here ends; 0: none does. */
  #endAt(text: string, at: number): number {
    let end = 0
    for (const form of this.#forms.get(text.slice(at, at + beginning))?.keys() ?? [])
      if (at + form.length > end && text.startsWith(form, at)) end = at + form.length
    return end
  }

  #add(group: Group, value: string): void {
    group.values.add(value)
    for (const form of formsOf(value)) {
      const start = form.slice(0, beginning)
      const same = this.#forms.get(start) ?? new Map<string, number>()
      same.set(form, (same.get(form) ?? 0) + 1)
      this.#forms.set(start, same)
      group.forms.push(form)
      group.units += form.length
      this.#units += form.length
    }
  }

  #drop(form: string): void {
    const start = form.slice(0, beginning)
    const same = this.#forms.get(start)
    const left = (same?.get(form) ?? 0) - 1
    if (left > 0) same?.set(form, left)
    else same?.delete(form)
    if (same?.size === 0) this.#forms.delete(start)
  }
}

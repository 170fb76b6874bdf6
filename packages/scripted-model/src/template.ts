import { limits } from './limits.ts'

/** Looks a name up; undefined when there is nothing under it. */
export type Lookup = (name: string) => string | undefined

const placeholder = /\{\{([^{}]*)\}\}/g
const filler = ['berth', 'moors', 'many', 'patient', 'sessions', 'along', 'one', 'quiet', 'harbour', 'wall']

function generate(text: string, item: (index: number) => string): string {
  const wanted = Math.min(Math.max(Number.parseInt(text, 10) || 0, 0), limits.generatedItems)
  return Array.from({ length: wanted }, (_, index) => item(index)).join(' ')
}

function clip(text: string, argument: string): number {
  return Math.min(Number.parseInt(argument, 10) || text.length, text.length)
}

const pipes: Record<string, (text: string, argument: string) => string> = {
  or: (text, argument) => (text === '' ? argument : text),
  count: (text) => generate(text, (index) => String(index + 1)),
  words: (text) => generate(text, (index) => filler[index % filler.length] ?? ''),
  first: (text, argument) => text.slice(0, clip(text, argument)),
  last: (text, argument) => text.slice(text.length - clip(text, argument)),
  sh: (text) => `'${text.replaceAll("'", `'\\''`)}'`,
}

interface Parsed {
  name: string
  steps: { pipe: string; argument: string }[]
}

function parse(inside: string): Parsed {
  const [name = '', ...rest] = inside.split('|').map((part) => part.trim())
  const steps = rest.map((part) => {
    const [pipe = ''] = part.split(' ', 1)
    return { pipe, argument: part.slice(pipe.length).trim() }
  })
  return { name, steps }
}

/**
 * Fills `{{name}}` and `{{name | pipe argument}}`. What was filled in is not looked at again, so a prompt
 * can't smuggle in a placeholder. Unknown names give empty text. Cut at {@link limits.filledChars}.
 */
export function fill(template: string, lookup: Lookup): string {
  if (!template.includes('{{')) return template
  const filled = template.replace(placeholder, (_, inside: string) => {
    const { name, steps } = parse(inside)
    return steps.reduce(
      (text, { pipe, argument }) => pipes[pipe]?.(text, argument) ?? text,
      lookup(name) ?? '',
    )
  })
  return filled.slice(0, limits.filledChars)
}

/** Fills every string inside a JSON value. */
export function fillDeep(value: unknown, lookup: Lookup): unknown {
  if (typeof value === 'string') return fill(value, lookup)
  if (Array.isArray(value)) return value.map((item) => fillDeep(item, lookup))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillDeep(item, lookup)]))
}

/** A whole number from a number or a template, between 0 and `max`; 0 when it gives none. */
export function fillNumber(value: number | string, lookup: Lookup, max: number): number {
  const number = typeof value === 'number' ? value : Number.parseInt(fill(value, lookup), 10)
  return Number.isSafeInteger(number) ? Math.min(Math.max(number, 0), max) : 0
}

/** The names used by a template, and its pipes that don't exist. */
export function inspectTemplate(template: string): { names: string[]; unknownPipes: string[] } {
  const parsed = [...template.matchAll(placeholder)].map((match) => parse(match[1] ?? ''))
  return {
    names: parsed.map((part) => part.name),
    unknownPipes: parsed.flatMap((part) =>
      part.steps.map((step) => step.pipe).filter((pipe) => !Object.hasOwn(pipes, pipe)),
    ),
  }
}

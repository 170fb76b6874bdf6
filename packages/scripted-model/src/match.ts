import type { Condition, TextCondition, TurnCondition } from './condition-schema.ts'
import { patternFlags } from './condition-schema.ts'
import type { Conversation } from './conversation.ts'
import { limits } from './limits.ts'

/** Captured groups by name and by number. */
export type Captures = Record<string, string>

// Scenarios are few and live as long as the model, so their patterns are compiled once and kept.
const compiled = new Map<string, RegExp>()

function regExp(pattern: string): RegExp {
  const known = compiled.get(pattern)
  if (known) return known
  const fresh = new RegExp(pattern, patternFlags)
  if (compiled.size < 10_000) compiled.set(pattern, fresh)
  return fresh
}

/** Tries a pattern; the groups it caught, or undefined. */
export function capture(pattern: string, text: string): Captures | undefined {
  const found = regExp(pattern).exec(text.slice(0, limits.matchedChars))
  if (!found) return undefined
  const captures: Captures = {}
  for (const [index, group] of found.entries()) if (index > 0) captures[String(index)] = group ?? ''
  for (const [name, group] of Object.entries(found.groups ?? {})) captures[name] = group ?? ''
  return captures
}

function matchText(condition: TextCondition | undefined, text: string): Captures | undefined {
  if (condition === undefined) return {}
  const { contains, matches } = condition
  if (contains !== undefined && !text.toLowerCase().includes(contains.toLowerCase())) return undefined
  return matches === undefined ? {} : capture(matches, text)
}

function matchTurn(condition: TurnCondition | undefined, turn: number): boolean {
  if (condition === undefined) return true
  if (typeof condition === 'number') return turn === condition
  return turn >= (condition.min ?? 1) && turn <= (condition.max ?? Number.POSITIVE_INFINITY)
}

function matchResult(condition: Condition['result'], conversation: Conversation): Captures | undefined {
  if (condition === undefined) return {}
  const result = conversation.results.at(-1)
  if (result === undefined) return undefined
  if (condition.is_error !== undefined && condition.is_error !== result.isError) return undefined
  return matchText(condition, result.text)
}

/** The groups that a condition catches in a conversation, or undefined when it doesn't hold. */
export function matchCondition(
  condition: Condition | undefined,
  conversation: Conversation,
): Captures | undefined {
  if (condition === undefined) return {}
  if (!matchTurn(condition.turn, conversation.turn)) return undefined
  if (condition.tools?.some((name) => !conversation.tools.has(name))) return undefined
  if (condition.missing_tools?.some((name) => conversation.tools.has(name))) return undefined
  const captures: Captures = {}
  const parts = [
    () => matchText(condition.model, conversation.model),
    () => matchText(condition.prompt, conversation.prompt),
    () => matchText(condition.system, conversation.system),
    () => matchResult(condition.result, conversation),
  ]
  for (const part of parts) {
    const caught = part()
    if (caught === undefined) return undefined
    Object.assign(captures, caught)
  }
  return captures
}

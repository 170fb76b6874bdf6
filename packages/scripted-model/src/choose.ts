import type { Conversation } from './conversation.ts'
import { limits } from './limits.ts'
import { type Captures, capture, matchCondition } from './match.ts'
import type { Answer, Scenario, Step } from './scenario-schema.ts'
import { fillNumber, type Lookup } from './template.ts'

/** The answer that a scenario has for a conversation, before its templates are filled. */
export interface Choice {
  scenario: Scenario
  /** Place of the step in the file, from 0; -1 when all steps are done. */
  step: number
  answer: Answer
  captures: Captures
}

/** Finds a name among captured groups, remembered results and the conversation's own values. */
export function lookupIn(conversation: Conversation, captures: Captures): Lookup {
  const own: Record<string, string | undefined> = {
    prompt: conversation.prompt,
    result: conversation.results.at(-1)?.text,
    cwd: conversation.cwd,
    model: conversation.model,
    turn: String(conversation.turn),
  }
  return (name) => (Object.hasOwn(captures, name) ? captures[name] : own[name])
}

/** Newest result first; only the successful reading of a pattern counts. */
function remembered(scenario: Scenario, conversation: Conversation): Captures {
  const values: Captures = {}
  for (const [name, pattern] of Object.entries(scenario.remember)) {
    const found = conversation.results
      .toReversed()
      .map((result) => capture(pattern, result.text))
      .find((groups) => groups !== undefined)
    values[name] = found?.['1'] ?? ''
  }
  return values
}

interface Place {
  index: number
  step: Step
  captures: Captures
}

/** The n-th step of those that apply, where a repeated step counts as often as it repeats. */
function stepAt(scenario: Scenario, conversation: Conversation, captures: Captures): Place | undefined {
  let skip = conversation.answered
  for (const [index, step] of scenario.steps.entries()) {
    const caught = matchCondition(step.when, conversation)
    if (caught === undefined) continue
    const all = { ...captures, ...caught }
    const rounds =
      step.repeat === undefined ? 1 : fillNumber(step.repeat, lookupIn(conversation, all), limits.repeats)
    if (skip < rounds) return { index, step, captures: all }
    skip -= rounds
  }
  return undefined
}

function branchOf(step: Step, conversation: Conversation): { answer: Answer; captures: Captures } {
  for (const branch of step.first_of ?? []) {
    const captures = matchCondition(branch.when, conversation)
    if (captures !== undefined) return { answer: branch, captures }
  }
  return { answer: step, captures: {} }
}

function choiceIn(scenario: Scenario, conversation: Conversation, captures: Captures): Choice {
  const all = { ...captures, ...remembered(scenario, conversation) }
  const place = stepAt(scenario, conversation, all)
  if (place === undefined) {
    const text = `The scenario "${scenario.name}" has no further step for this turn.`
    return { scenario, step: -1, answer: { text }, captures: all }
  }
  const branch = branchOf(place.step, conversation)
  return {
    scenario,
    step: place.index,
    answer: branch.answer,
    captures: { ...place.captures, ...branch.captures },
  }
}

/**
 * The first scenario whose conditions hold, and its step for this request. Scenarios without conditions
 * are asked last, whatever their place.
 */
export function choose(scenarios: readonly Scenario[], conversation: Conversation): Choice | undefined {
  const ordered = [...scenarios.filter((one) => one.when), ...scenarios.filter((one) => !one.when)]
  for (const scenario of ordered) {
    const captures = matchCondition(scenario.when, conversation)
    if (captures !== undefined) return choiceIn(scenario, conversation, captures)
  }
  return undefined
}

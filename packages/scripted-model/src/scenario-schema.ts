import { z } from 'zod'
import { conditionSchema, patternSchema, stableConditionSchema } from './condition-schema.ts'
import { faultSchema, numberSchema } from './fault-schema.ts'

const textSchema = z.string().max(200_000)

const toolSchema = z.strictObject({
  name: z.string().min(1).max(200),
  input: z.record(z.string(), z.json()).default({}),
})

const paceSchema = z.strictObject({
  /** Milliseconds before each delta. */
  delay_ms: numberSchema.default(0),
  /** Milliseconds before the answer begins. */
  first_ms: numberSchema.default(0),
  /** Size of a delta: a word, or so many characters. */
  piece: z.union([z.literal('word'), z.int().min(1).max(100_000)]).default(40),
})

const answerFields = {
  think: textSchema.optional(),
  text: textSchema.optional(),
  tools: z.array(toolSchema).min(1).max(50).optional(),
  stop_reason: z
    .enum(['end_turn', 'tool_use', 'max_tokens', 'stop_sequence', 'pause_turn', 'refusal'])
    .optional(),
  fault: faultSchema.optional(),
  pace: paceSchema.optional(),
}

const answerSchema = z.strictObject(answerFields)
const branchSchema = z.strictObject({ when: conditionSchema.optional(), ...answerFields })

const stepSchema = z.strictObject({
  when: stableConditionSchema.optional(),
  repeat: numberSchema.optional(),
  first_of: z.array(branchSchema).min(1).max(20).optional(),
  ...answerFields,
})

/** One scenario file. */
export const scenarioSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use lower-case letters, digits and dashes'),
  description: z.string().min(1).max(500),
  /** A prompt that chooses this scenario; shown by the default answer. */
  example: z.string().min(1).max(200).optional(),
  when: conditionSchema.optional(),
  /** Values found in this turn's tool results: name → pattern, whose first group is kept. */
  remember: z.record(z.string().regex(/^[a-z]\w{0,40}$/i), patternSchema).default({}),
  steps: z.array(stepSchema).min(1).max(200),
})

/** What one answer consists of. */
export type Answer = z.output<typeof answerSchema>
/** How fast an answer comes. */
export type Pace = z.output<typeof paceSchema>
export type Step = z.output<typeof stepSchema>
/** A scenario with its defaults filled in. */
export type Scenario = z.output<typeof scenarioSchema>
/** A scenario as written by hand. */
export type ScenarioInput = z.input<typeof scenarioSchema>

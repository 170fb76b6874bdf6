import { z } from 'zod'

/** Patterns ignore case, and their dot also matches a line break. */
export const patternFlags = 'is'

function compileError(pattern: string): string | undefined {
  try {
    new RegExp(pattern, patternFlags)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** A regular expression as text, checked when the file is read. */
export const patternSchema = z
  .string()
  .min(1)
  .max(4_000)
  .superRefine((pattern, context) => {
    const problem = compileError(pattern)
    if (problem !== undefined)
      context.addIssue({ code: 'custom', message: `${problem}. Correct the expression` })
  })

const textConditionFields = {
  contains: z.string().min(1).max(4_000).optional(),
  matches: patternSchema.optional(),
}

const textConditionSchema = z.strictObject(textConditionFields)

const resultConditionSchema = z.strictObject({ ...textConditionFields, is_error: z.boolean().optional() })

const turnConditionSchema = z.union([
  z.int().min(1),
  z.strictObject({ min: z.int().min(1).optional(), max: z.int().min(1).optional() }),
])

const stableFields = {
  model: textConditionSchema.optional(),
  system: textConditionSchema.optional(),
  prompt: textConditionSchema.optional(),
  turn: turnConditionSchema.optional(),
  tools: z.array(z.string().min(1).max(200)).max(100).optional(),
  missing_tools: z.array(z.string().min(1).max(200)).max(100).optional(),
}

/** Conditions that stay the same for a whole turn. */
export const stableConditionSchema = z.strictObject(stableFields)

/** All conditions; what is not given is not asked. */
export const conditionSchema = z.strictObject({ ...stableFields, result: resultConditionSchema.optional() })

export type TextCondition = z.output<typeof textConditionSchema>
export type TurnCondition = z.output<typeof turnConditionSchema>
export type Condition = z.output<typeof conditionSchema>

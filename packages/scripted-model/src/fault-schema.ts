import { z } from 'zod'

/** A whole number, or a template that gives one (`'{{n}}'`). */
export const numberSchema = z.union([z.int().min(0), z.string().min(1).max(500)])

/** How often the fault happens before the step's own answer is given; without it, always. */
const times = numberSchema.optional()
/** After how many deltas the fault strikes. */
const after = numberSchema.default(1)

/** One way for an answer to go wrong. */
export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: numberSchema,
    message: z.string().max(4_000).optional(),
    /** Seconds, sent as the `retry-after` header. */
    retry_after: numberSchema.optional(),
    times,
  }),
  z.strictObject({ kind: z.literal('cut'), after, times }),
  z.strictObject({ kind: z.literal('stall'), after: numberSchema.optional(), times }),
  z.strictObject({
    kind: z.literal('stream_error'),
    error: z.string().min(1).max(100).default('overloaded_error'),
    message: z.string().max(4_000).optional(),
    after,
    times,
  }),
])

export type Fault = z.output<typeof faultSchema>

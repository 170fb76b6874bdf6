import { z } from 'zod'
import { requestId, turnId } from './ids.ts'
import { limits } from './limits.ts'

/** One question of the agent to a person. */
export const question = z.object({
  question: z.string().max(limits.message),
  header: z.string().max(200),
  multiSelect: z.boolean(),
  options: z
    .array(
      z.object({
        label: z.string().max(500),
        description: z.string().max(limits.message),
        preview: z.string().max(limits.inlineText).optional(),
      }),
    )
    .max(20),
})

export type Question = z.infer<typeof question>

/** The answers by question text; several labels for a question with `multiSelect`; free text is allowed. */
export const answers = z.record(
  z.string().max(limits.message),
  z.union([z.string().max(limits.message), z.array(z.string().max(limits.message)).max(20)]),
)

export type Answers = z.infer<typeof answers>

/** What a person decides about a tool. */
export const permissionDecision = z.discriminatedUnion('behavior', [
  z.object({
    behavior: z.literal('allow'),
    /** `turn`: don't ask again for this tool in this turn; `session`: in this session. Default: once. */
    scope: z.enum(['once', 'turn', 'session']).default('once'),
  }),
  z.object({
    behavior: z.literal('deny'),
    /** Told to the agent. */
    message: z.string().max(limits.message).optional(),
    /** Also interrupt the turn. Default: the agent goes on without the tool. */
    interrupt: z.boolean().default(false),
  }),
])

export type PermissionDecision = z.infer<typeof permissionDecision>

/** What an open request shows in a session's summary. */
export const openRequest = z.object({
  request: requestId,
  kind: z.enum(['permission', 'question']),
  turn: turnId,
  /** The tool, or the first question's header. */
  title: z.string().max(200),
  /** What the tool would do, or the first question, in words. */
  detail: z.string().max(1000),
  at: z.iso.datetime(),
  /** The event with the whole request. */
  seq: z.number().int().positive(),
})

export type OpenRequest = z.infer<typeof openRequest>

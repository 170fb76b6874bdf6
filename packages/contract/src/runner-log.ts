import { z } from 'zod'
import { limits } from './limits.ts'

/** Whose words a line is: the runner's own, or what Claude Code and its MCP servers wrote to their error output. */
export const logSource = z.enum(['runner', 'agent'])
export type LogSource = z.infer<typeof logSource>

/** A line of a session's log of its runner: plain text without control characters, and without tokens. */
export const logLine = z.object({
  at: z.iso.datetime(),
  source: logSource,
  /** Of the runner's own lines. */
  level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  text: z
    .string()
    .max(limits.logLine)
    .refine((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), 'must not contain control characters'),
})

export type LogLine = z.infer<typeof logLine>

/** A line as it is kept. */
export const storedLogLine = logLine.extend({
  /** Its place among the session's lines; increases, with gaps where other lines stand. */
  n: z.number().int().positive(),
  generation: z.number().int().positive(),
})

export type StoredLogLine = z.infer<typeof storedLogLine>

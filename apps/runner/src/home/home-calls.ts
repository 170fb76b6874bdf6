import { limits } from '@berth/contract'
import { z } from 'zod'
import type { AgentHome } from './agent-home.ts'

const path = z.string().min(1).max(limits.path)
const size = z.number().int().nonnegative()
const conversation = z.string().max(100)

/** Bytes that are read or written at once. */
export const mostBytes = 1024 * 1024

const base64 = z.base64().max(2 * mostBytes)
const bytes = z.instanceof(Buffer)

/** What the program in the agent's place can be asked to do: how arguments and result are written. */
export const homeCalls = {
  mend: { args: z.tuple([conversation]), result: z.boolean() },
  has: { args: z.tuple([conversation, z.array(z.string().max(100)).max(1000)]), result: z.boolean() },
  listConversation: { args: z.tuple([]), result: z.array(z.object({ path, size })).max(2000) },
  readConversation: {
    args: z.tuple([path, z.object({ at: size, length: size.max(mostBytes) })]),
    result: z.codec(base64.nullable(), bytes.optional(), {
      decode: (text) => (text === null ? undefined : Buffer.from(text, 'base64')),
      encode: (value) => value?.toString('base64') ?? null,
    }),
  },
  clearConversation: { args: z.tuple([]), result: z.null().optional() },
  writeConversation: {
    args: z.tuple([
      path,
      size,
      z.codec(base64, bytes, {
        decode: (text) => Buffer.from(text, 'base64'),
        encode: (value) => value.toString('base64'),
      }),
    ]),
    result: z.null().optional(),
  },
  mcpLines: { args: z.tuple([]), result: z.array(z.string().max(4000)).max(1000) },
} as const satisfies Record<keyof AgentHome, { args: z.ZodType; result: z.ZodType }>

export type HomeCall = keyof typeof homeCalls

/** A line that the program reads, and one that it writes. */
export const homeRequest = z.object({
  id: size,
  call: z.enum(Object.keys(homeCalls) as [HomeCall, ...HomeCall[]]),
  args: z.array(z.unknown()),
})
export const homeAnswer = z.object({
  id: size,
  result: z.unknown().optional(),
  error: z.string().max(1000).optional(),
})

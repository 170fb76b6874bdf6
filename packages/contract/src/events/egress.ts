import { z } from 'zod'
import { limits } from '../limits.ts'

/** Why a request to the network was refused, in a word. */
export const egressWhy = z.enum(['host', 'method', 'path', 'address', 'form'])
export type EgressWhy = z.infer<typeof egressWhy>

/** A request of a program in the sandbox that no rule of the project allows. Told once per turn for requests alike. */
export const egressRefused = z.object({
  scheme: z.enum(['https', 'http']),
  host: z.string().max(260),
  port: z.number().int().min(0).max(65_535),
  method: z.string().max(20),
  /** Of the first such request, without its query. */
  path: z.string().max(500),
  /**
   * `host`: no rule names it with that port and scheme; `method`, `path`: the rules for it allow others; `address`: it is not
   * a public one; `form`: the request has a form that is not passed on.
   */
  why: egressWhy,
  message: z.string().max(limits.message),
  /** No more are told in this turn. */
  last: z.boolean().optional(),
})

export type EgressRefused = z.infer<typeof egressRefused>

/** Requests that are refused alike have the same. */
export const refusalKey = ({ scheme, host, port, method, why }: Omit<EgressRefused, 'message'>): string =>
  `${method} ${scheme}://${host}:${port} ${why}`

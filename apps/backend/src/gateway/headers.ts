import type { IncomingHttpHeaders } from 'node:http'
import type { IncomingHttpHeaders as AnswerHeaders } from 'undici/types/header.js'

/** What an agent may say about its request; nothing about who it is. */
const forwarded = ['content-type', 'accept', 'anthropic-version', 'anthropic-beta', 'user-agent']

/**
 * What an upstream may say about its answer. Everything else stays here: cookies, what holds for one connection, who the
 * account belongs to, and what the door would take for a word of Berth’s (`berth-…`).
 */
const passed =
  /^(content-type|content-encoding|request-id|x-request-id|retry-after|retry-after-ms|x-should-retry|anthropic-ratelimit-[a-z0-9-]{1,60})$/

export const requestHeaders = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    forwarded.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value] as const] : []
    }),
  )

export const answerHeaders = (headers: AnswerHeaders): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value !== undefined && passed.test(name.toLowerCase()) ? [[name, value] as const] : [],
    ),
  )

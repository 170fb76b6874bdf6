import type { Dispatcher } from 'undici'
import type { IncomingHttpHeaders } from 'undici/types/header.js'
import { ModelProblem } from './provider.ts'

export interface Sent {
  url: URL
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body: Buffer | string | undefined
}

/** Sends one request. A redirect is no answer: what it carries is for the place that the project named, and no other. */
export const send = async (
  agent: Dispatcher,
  { url, method, headers, body }: Sent,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> => {
  const answer = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    // Metering reads the answer as it passes, so it must not be compressed.
    headers: { ...headers, 'accept-encoding': 'identity' },
    body: body ?? null,
    signal,
  })
  if (answer.statusCode < 300 || answer.statusCode >= 400) return answer
  await answer.body.dump()
  throw new ModelProblem(
    { status: 502, type: 'api_error' },
    `${url.host} answered with a redirect (${answer.statusCode}), which is not followed. Set the address that it leads to.`,
  )
}

/** The most of an error's body that is read. */
const maxErrorBytes = 64 * 1024

/** The beginning of a body, as text; the rest is left. */
export const readStart = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= maxErrorBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxErrorBytes).toString('utf8')
}

export const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** A path below an address that may have one itself. */
export const below = (base: string, path: string): URL => {
  const url = new URL(base)
  const [pathname = '', search] = path.split('?')
  url.pathname = `${url.pathname.replace(/\/$/, '')}${pathname}`
  url.search = search ?? ''
  return url
}

import { createOutbound, type Outbound } from '../../../outbound/outbound.ts'
import type { ModelAnswer, ModelProvider, ModelRequest } from '../provider.ts'

/** A request of Claude Code to `/v1/messages`. */
export const messages = (
  parsed: Record<string, unknown>,
  more: Partial<ModelRequest> = {},
): ModelRequest => ({
  endpoint: 'messages',
  method: 'POST',
  path: '/v1/messages?beta=true',
  headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
  body: Buffer.from(JSON.stringify(parsed)),
  parsed,
  model: typeof parsed.model === 'string' ? parsed.model : undefined,
  ...more,
})

const textOf = async ({ body }: ModelAnswer): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** The answer with its text. */
export const ask = async (provider: ModelProvider, request: ModelRequest) => {
  const answer = await provider.ask(request, new AbortController().signal)
  const text = await textOf(answer)
  return { ...answer, text, json: () => JSON.parse(text) as Record<string, unknown> }
}

/** A way out to servers of this machine, closed afterwards. */
export const withOutbound = async (test: (outbound: Outbound) => Promise<void>): Promise<void> => {
  const outbound = createOutbound({ privateHosts: ['*'] })
  try {
    await test(outbound)
  } finally {
    await outbound.close()
  }
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { builtInScenarios, createScriptedModel, loadScenarios } from '@berth/scripted-model'
import type { Gates } from './gates.ts'

/** Size of an answer's beginning that passes a gate in its middle. */
const beginning = 2500

const bodyOf = async (req: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Requests of the conversation bring tools; Claude Code's others (titles and such) never wait. */
const gateIn = (body: string): { where: string; name: string } | undefined => {
  if (!/"tools":\[\{/.test(body)) return undefined
  const found = [...body.matchAll(/hold-(before|midway)-([a-z0-9]+)/g)].at(-1)
  return found === undefined ? undefined : { where: found[1] ?? '', name: found[0] }
}

/**
 * The scripted model behind gates: an answer to a conversation that names `hold-before-X` comes when the gate of this
 * name is open; one that names `hold-midway-X` begins at once and goes on when it is open.
 */
export const startGatedModel = async (gates: Gates): Promise<{ url: string; close(): Promise<void> }> => {
  const model = createScriptedModel({ scenarios: await loadScenarios(builtInScenarios) })
  const upstream = await model.listen()

  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const body = await bodyOf(req)
    const gate = gateIn(body.toString('utf8'))
    if (gate?.where === 'before') await Promise.race([gates.wait(gate.name), once(res, 'close')])
    if (res.destroyed) return
    const { method, headers } = req
    const forward = request(upstream.url + req.url, { method, headers })
    forward.end(body)
    const [reply] = (await once(forward, 'response')) as [IncomingMessage]
    res.writeHead(reply.statusCode ?? 502, reply.headers)
    await pipeline(reply, gate?.where === 'midway' ? held(gates, gate.name) : passed, res)
  }

  const server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await upstream.close()
    },
  }
}

async function* passed(source: AsyncIterable<Buffer>) {
  yield* source
}

const held = (gates: Gates, name: string) =>
  async function* (source: AsyncIterable<Buffer>) {
    let sent = 0
    for await (const chunk of source) {
      const now = chunk.subarray(0, Math.max(0, beginning - sent))
      sent += now.length
      if (now.length > 0) yield now
      if (now.length === chunk.length) continue
      await gates.wait(name)
      yield chunk.subarray(now.length)
    }
  }

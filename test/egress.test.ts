import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AnyEvent } from '@berth/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { project, type World, withWorld } from './support/world.ts'

const ended = (event: AnyEvent) => event.type === 'turn.ended'

let server: Server
let host: string
const seen: { url: string | undefined; key: string | string[] | undefined }[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push({ url: request.url, key: request.headers['x-key'] })
    const tarball = `http://${host}/left-pad.tgz`
    const version = { name: 'left-pad', version: '1.3.0', dist: { tarball, shasum: '0' } }
    const packument = { name: 'left-pad', 'dist-tags': { latest: '1.3.0' }, versions: { '1.3.0': version } }
    response.end(request.url === '/left-pad' ? JSON.stringify(packument) : 'hello from outside')
  })
  // Not the address that programs take for the sandbox's own.
  server.listen(0, '127.0.0.2')
  await once(server, 'listening')
  host = `127.0.0.2:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.close()
  server.closeAllConnections()
})

/** Has the agent run a command, and gives what it printed. */
const command = async (world: World, session: string, line: string): Promise<string> => {
  const { seq } = await world.client.getSession({ params: { project, session } })
  await world.client.createPrompt({ params: { project, session }, body: { content: `run: ${line}` } })
  const log = await world.until(session, ended, { after: seq })
  const result = log.findLast((event) => event.type === 'tool.result')
  return String((result?.data as { text?: string } | undefined)?.text)
}

const allow = async ({ client }: World, egress: object[]) => {
  const { version } = await client.getProjectSettings({ params: { project } })
  const body = { egress } as unknown as Record<string, never>
  await client.updateProjectSettings({ params: { project }, body, ifMatch: version })
}

it(
  '[P193][P188][S13] programs of a session reach what a rule allows, from when it is made, and are told of the rest',
  {
    timeout: 120_000,
  },
  () =>
    withWorld(async (world) => {
      const created = await world.client.createSession({
        params: { project },
        body: { prompt: 'echo: ready' },
      })
      await world.until(created.id, ended)
      const [name, port] = host.split(':')
      await allow(world, [{ host: name, port: Number(port), scheme: 'http', headers: { 'X-Key': 'added' } }])

      const line = [
        `curl -sS http://${host}/curl`,
        `/opt/berth/node/node -e 'fetch("http://${host}/node").then((a) => a.text()).then(console.log)'`,
        `npm view left-pad version --registry=http://${host}/ --fetch-retries=0 --update-notifier=false`,
        'curl -sS https://example.com/x',
        'curl -sS https://example.com/y',
        'curl -sS --noproxy "*" --max-time 5 http://192.0.2.1/ 2>&1 || echo no way around',
      ].join('; ')
      const said = await command(world, created.id, line)
      expect(said.match(/hello from outside/g), said).toHaveLength(2)
      expect(said).toContain('1.3.0')
      expect(said).toContain('no way around')
      expect(
        said.match(/berth: The project default lets sessions reach no example.com by https/g),
      ).toHaveLength(2)
      expect(seen.map(({ key }) => key)).toEqual(seen.map(() => 'added'))
      const log = await world.events(created.id)
      const refused = log.filter((event) => event.type === 'egress.refused')
      expect(refused.map(({ data }) => data)).toMatchObject([
        { host: 'example.com', method: 'GET', path: '/x', why: 'host' },
      ])
      checkLog(log)
    }),
)

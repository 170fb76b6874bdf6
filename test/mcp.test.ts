import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyEvent, EventData } from '@berth/contract'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { type HttpMcpServer, shoutingServer, startHttpMcpServer } from './support/mcp-server.ts'
import { create, ended, messageOf, setProject, turn } from './support/talk.ts'
import { project, type World, withWorld } from './support/world.ts'

const secret = 'a-header-that-nobody-may-see-4711'

let server: HttpMcpServer

beforeAll(async () => {
  server = await startHttpMcpServer()
})

beforeEach(() => {
  server.instead = () => false
  server.requests.length = 0
})

afterAll(() => server.close())

type Server = EventData<'agent.mcp'>['servers'][number]

const serversOf = (events: readonly AnyEvent[]): Server[] => {
  const last = events.findLast((event) => event.type === 'agent.mcp')
  return last?.type === 'agent.mcp' ? last.data.servers : []
}

/** Waits until an event tells so of a server. */
const told = (world: World, session: string, fits: (server: Server) => boolean) =>
  world.until(session, (event) => event.type === 'agent.mcp' && event.data.servers.some(fits))

/** Every text below a directory. */
const texts = async (directory: string): Promise<string> => {
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name))
  return (await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))).join('\n')
}

const http = (more: object = {}) => ({
  type: 'http' as const,
  url: server.url,
  headers: { authorization: `Bearer ${secret}` },
  ...more,
})

describe('MCP servers on the network', { timeout: 120_000 }, () => {
  it('[P65] are called by the backend with the project’s headers, which nobody else sees', () =>
    withWorld(async (world) => {
      await setProject(world, { mcpServers: { quiet: http() } })
      const id = await create(world, { prompt: 'call mcp__quiet__whisper with GOOD NIGHT' })
      expect(messageOf(await world.until(id, ended))).toBe('good night')
      expect(server.requests.length).toBeGreaterThan(2)
      expect(server.requests.every(({ headers }) => headers.authorization === `Bearer ${secret}`)).toBe(true)
      expect(server.requests.at(-1)?.headers['mcp-session-id']).toBe('one')
      expect(serversOf(await world.events(id))).toMatchObject([
        { name: 'quiet', status: 'connected', tools: [{ name: 'whisper' }] },
      ])
      server.instead = ({ id: message, method }, response) => {
        if (method !== 'tools/call') return false
        const result = { content: [{ type: 'text', text: `You said ${secret}.` }] }
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ jsonrpc: '2.0', id: message, result }))
        return true
      }
      expect(messageOf(await turn(world, id, 'call mcp__quiet__whisper with X'))).toBe('You said [hidden].')
      const look =
        'run: env; cat /setup/settings.json; grep -rls nobody-may-see /setup /home /workspace /tmp; echo end'
      expect(messageOf(await turn(world, id, look))).not.toContain('nobody-may-see')
      const view = await world.client.getSessionSettings({ params: { project, session: id } })
      expect(view.effective.mcpServers.quiet).toMatchObject({ headers: { authorization: '***' } })
      expect(JSON.stringify(await world.events(id))).not.toContain(secret)
      expect(world.log.join('\n')).not.toContain(secret)
      expect(await texts(join(world.dataDir, 'sessions', id))).not.toContain(secret)
      checkLog(await world.events(id))
    }))

  it('[P65] a session can bring none, and one that is switched off or gone is not called', () =>
    withWorld(async (world) => {
      await setProject(world, { mcpServers: { quiet: http() }, disabledMcpServers: ['quiet'] })
      const settings = { mcpServers: { mine: { type: 'http', url: server.url } } } as never
      await expect(create(world, { settings })).rejects.toMatchObject({ code: 'invalid_input' })
      const id = await create(world, { prompt: 'call mcp__quiet__whisper with X' })
      expect(messageOf(await world.until(id, ended))).toContain('No such tool')
      expect(server.requests).toEqual([])
      expect(serversOf(await world.events(id))).toMatchObject([
        { name: 'quiet', status: 'disabled', tools: [] },
      ])
    }))

  it('[P66] one that hangs, redirects, floods or talks nonsense fails alone', () =>
    withWorld(async (world) => {
      server.instead = ({ method }, response) => {
        const answer = (server.requests.at(-1)?.headers['x-case'] ?? '') as string
        if (answer === 'hang') return true
        if (answer === 'redirect') response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()
        else if (answer === 'nonsense') response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
        else if (answer === 'flood') {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          const write = () => {
            while (!response.destroyed && response.write(`data: ${'x'.repeat(65_536)}`));
          }
          response.on('drain', write)
          write()
        } else return method === undefined
        return true
      }
      const named = (name: string) => http({ headers: { 'x-case': name } })
      const names = ['hang', 'redirect', 'nonsense', 'flood']
      await setProject(world, {
        mcpServers: {
          quiet: http(),
          away: { type: 'http', url: 'http://127.0.0.1:9/mcp' },
          ...Object.fromEntries(names.map((name) => [name, named(name)])),
        },
      } as never)
      const id = await create(world, { prompt: 'call mcp__quiet__whisper with STILL HERE' })
      expect(messageOf(await world.until(id, ended))).toBe('still here')
      for (const name of ['hang', 'redirect', 'nonsense', 'flood', 'away'])
        await told(world, id, (one) => one.name === name && one.status === 'failed')
      const redirected = serversOf(await world.events(id)).find(({ name }) => name === 'redirect')
      expect(redirected?.error).toContain('redirect')
      expect(messageOf(await turn(world, id, 'echo: and on'))).toBe('and on')
      checkLog(await world.events(id))
    }))
})

describe('MCP servers in the sandbox', { timeout: 180_000 }, () => {
  it('[P66] one that hangs, floods, dies or has no end of tools fails alone, within limits', () =>
    withWorld(async (world) => {
      const endless = `
  if (m.method === 'tools/list') return say({ id: m.id, result: { nextCursor: 'more', tools: Array.from({ length: 300 }, (_, i) => ({ name: 'tool' + Math.random().toString(36).slice(2) + i, inputSchema: { type: 'object' } })) } })`
      const flood = (stream: string, line: string) =>
        `const fill = () => { while (process.${stream}.write('x'.repeat(65536) + ${JSON.stringify(line)})); process.${stream}.once('drain', fill) }; if (m.method === 'initialize') fill();`
      const list = Object.entries({
        loud: '',
        hang: 'return',
        dies: 'process.exit(3)',
        'dies-later': `if (m.method === 'tools/call') process.exit(4)`,
        line: flood('stdout', ''),
        noise: flood('stderr', '\n'),
        endless,
      }).map(([name, first]) => [name, { type: 'stdio', ...shoutingServer(first) }])
      const missing = { type: 'stdio', command: '/nowhere/at-all', args: [] }
      await setProject(world, { mcpServers: { ...Object.fromEntries(list), missing } } as never)
      const id = await create(world, { prompt: 'call mcp__loud__shout with still here' })
      expect(messageOf(await world.until(id, ended))).toBe('STILL HERE')
      for (const name of ['hang', 'dies', 'line', 'missing'])
        await told(world, id, (one) => one.name === name && one.status === 'failed')
      await told(world, id, (one) => one.name === 'endless' && one.status === 'connected')
      expect(messageOf(await turn(world, id, 'call mcp__dies-later__shout with boom'))).not.toBe('BOOM')
      await told(world, id, (one) => one.name === 'dies-later' && one.status !== 'connected')
      expect(messageOf(await turn(world, id, 'call mcp__loud__shout with and on'))).toBe('AND ON')
      expect(messageOf(await turn(world, id, 'call mcp__noise__shout with heard'))).toBe('HEARD')
      const all = await world.events(id)
      expect(all.some(({ type }) => type === 'agent.exited')).toBe(false)
      expect(Math.max(...all.map((event) => JSON.stringify(event).length))).toBeLessThan(200_000)
      const { resources } = await world.client.getSession({ params: { project, session: id } })
      expect(resources?.memoryBytes ?? 0).toBeLessThan(2 * 1024 ** 3)
      checkLog(all)
    }))
})

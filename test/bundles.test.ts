import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createClient } from '@berth/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { build } from '../tools/build/build.ts'
import { eventually, project } from './support/world.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-bundles-'))
  await build(join(directory, 'dist'))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

/** Starts the bundled backend; it has nothing of the repository around it. */
const startBackend = async () => {
  const data = join(directory, 'data')
  const child = spawn(process.execPath, [join(directory, 'dist/backend/main.js')], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      BERTH_DATA_DIR: data,
      BERTH_PORT: '0',
      BERTH_RUNNER_PORT: '0',
      BERTH_CLAUDE_EXECUTABLE: join(directory, 'dist/runner/claude/claude'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = async () => {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('Berth is ready')) continue
    const token = (await readFile(join(data, 'owner-token'), 'utf8')).trim()
    child.stdout.resume()
    return { url: String(JSON.parse(line).url), token, stop }
  }
  throw new Error('The bundled backend ended before it was ready.')
}

it('[P100] serve, and run the real Claude Code in a sandbox, without the repository', async () => {
  const { url, token, stop } = await startBackend()
  try {
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    for (const page of ['/docs/static/swagger-ui.css', '/docs/static/swagger-ui-bundle.js', '/docs/json'])
      expect((await fetch(`${url}${page}`)).status, page).toBe(200)

    const client = createClient({ baseUrl: url, token })
    const prompt = 'write notes.md: from a bundle'
    const { id: session } = await client.createSession({ params: { project }, body: { prompt } })
    const params = { project, session }
    const turn = await eventually('the end of the turn', async () => {
      const { lastTurn, status, requests } = await client.getSession({ params })
      for (const { request } of requests)
        await client.decidePermission({ params: { ...params, request }, body: { behavior: 'allow' } })
      if (status.phase === 'failed') throw new Error(JSON.stringify(status))
      return lastTurn
    })
    expect(turn).toMatchObject({ result: 'success' })
    const { stream } = await client.readFile({ params, query: { path: 'notes.md' } })
    expect((await new Response(stream).text()).trim()).toBe('from a bundle')
    await client.stopSession({ params })
    await eventually('the session has stopped', async () => {
      const { status } = await client.getSession({ params })
      return status.phase === 'stopped' ? status : undefined
    })
  } finally {
    await stop()
  }
}, 120_000)

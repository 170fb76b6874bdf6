import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { createPlayground, type Playground, type TestScenario } from './agent.fixture.ts'
import { AgenticSession, type AgenticSessionOptions } from './agentic-session.ts'

let place: Playground

const session = async (scenarios: TestScenario[], options: Partial<AgenticSessionOptions> = {}) => {
  place = await createPlayground(scenarios)
  return new AgenticSession({ prompt: 'Write hello.txt', workspace: place.cwd, env: place.env, ...options })
}

afterEach(() => place.remove())

const write = { name: 'Write', input: { file_path: 'hello.txt', content: 'hello' } }
const writes: TestScenario[] = [
  { name: 'write', steps: [{ text: 'I write.', tools: [write] }, { text: 'Written.' }] },
]

test('runs a prompt to its result', async () => {
  const seen: string[] = []
  const one = await session(writes, {
    onPermission: ({ tool }) => {
      seen.push(tool)
      return { behavior: 'allow', scope: 'once' }
    },
  })
  const result = await one.run()
  expect(result).toMatchObject({
    result: 'success',
    message: 'Written.',
    steps: 2,
    conversation: expect.any(String),
    usage: { outputTokens: expect.any(Number) },
  })
  expect(result.durationMs).toBeGreaterThan(0)
  expect(seen).toEqual(['Write'])
  expect(result.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['agent.ready', 'tool.result']),
  )
  expect(await readFile(join(place.cwd, 'hello.txt'), 'utf8')).toBe('hello')
  await expect(one.run()).rejects.toMatchObject({ code: 'busy' })
})

test('refuses what changes something when nobody decides', async () => {
  const one = await session(writes)
  const { events } = await one.run()
  expect(events.find(({ type }) => type === 'tool.result')).toMatchObject({ data: { isError: true } })
})

test('goes on with an earlier conversation', async () => {
  const one = await session([{ name: 'a', steps: [{ text: 'Hello.' }] }])
  const { conversation } = await one.run()
  const next = new AgenticSession({ prompt: 'And now?', workspace: place.cwd, env: place.env, conversation })
  expect((await next.run()).conversation).toBe(conversation)
  expect(JSON.stringify(place.model.requests.at(-1))).toContain('Write hello.txt')
})

test('is interrupted by a signal', async () => {
  const abort = new AbortController()
  const one = await session(
    [
      {
        name: 'slow',
        steps: [{ text: 'one two', pace: { piece: 'word' }, fault: { kind: 'stall', after: 1 } }],
      },
    ],
    {
      signal: abort.signal,
      onEvent: ({ type }) => type === 'block.delta' && abort.abort(),
    },
  )
  expect(await one.run()).toMatchObject({ result: 'interrupted' })
})

test('a Claude Code that cannot start is an error', async () => {
  const one = await session([], { executable: '/nowhere/claude' })
  await expect(one.run()).rejects.toMatchObject({ code: 'start-failed' })
})

test('the example runs', async () => {
  place = await createPlayground(writes)
  const example = fileURLToPath(new URL('../examples/run.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [example, place.cwd, 'Write hello.txt'], {
    env: place.env,
  })
  expect(stdout).toContain('Writing hello.txt')
  expect(stdout).toContain('success')
  expect(await readFile(join(place.cwd, 'hello.txt'), 'utf8')).toBe('hello')
})

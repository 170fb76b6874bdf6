import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SpawnOptions } from '@anthropic-ai/claude-agent-sdk'
import { turnMessageUuid } from '@berth/contract'
import { afterEach, expect, test } from 'vitest'
import {
  createPlayground,
  newId,
  type Playground,
  startAgent,
  type TestAgent,
  type TestScenario,
} from './agent.fixture.ts'
import type { AgentOptions } from './agent.ts'
import { transcriptHas } from './transcript.ts'

let place: Playground
const started: TestAgent[] = []

const begin = async (scenarios: TestScenario[], options: Partial<AgentOptions> = {}) => {
  place = await createPlayground(scenarios)
  return again(options)
}

const again = (options: Partial<AgentOptions> = {}) => {
  const one = startAgent(place, options)
  started.push(one)
  return one
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ agent }) => agent.close()))
  await place.remove()
})

/** Starts Claude Code as a runner would, and knows its process. */
const spawning = () => {
  let pid = 0
  return {
    pid: () => pid,
    spawn({ command, args, cwd, env }: SpawnOptions) {
      const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] })
      pid = child.pid ?? 0
      return child
    },
  }
}

const bash = (command: string) => ({ name: 'Bash', input: { command, description: 'A command' } })
const when = (contains: string) => ({ prompt: { contains } })

/** The text of every block of a kind, complete ones only. */
const textsOf = ({ all }: TestAgent, kind: string) => {
  const ids = new Set(all('block.started').flatMap((data) => (data.kind === kind ? [data.block] : [])))
  return all('block.completed').flatMap((data) => (ids.has(data.block) ? [data.text] : []))
}

const endsOnce = ({ all }: TestAgent) => {
  const startedBlocks = all('block.started').map(({ block }) => block)
  const ended = [...all('block.completed'), ...all('block.aborted')].map(({ block }) => block)
  expect(new Set(startedBlocks).size).toBe(startedBlocks.length)
  expect(ended.toSorted()).toEqual(startedBlocks.toSorted())
}

test('one process serves many turns, and each content block is one block', async () => {
  const test = await begin([
    {
      name: 'a',
      when: when('first'),
      steps: [{ think: 'Let me see.', text: 'I look.', tools: [bash('echo hello')] }, { text: 'Done.' }],
    },
    { name: 'b', steps: [{ text: 'Second answer.' }] },
  ])
  await test.agent.ready
  expect(test.all('agent.ready')[0]).toMatchObject({
    conversation: expect.any(String),
    version: expect.any(String),
  })
  const first = await test.turn('first')
  expect(first).toMatchObject({ result: 'success', message: 'Done.', attempt: 1, steps: 2 })
  expect(first.usage.outputTokens).toBeGreaterThan(0)
  expect(await test.turn('again')).toMatchObject({ result: 'success', message: 'Second answer.' })
  expect(textsOf(test, 'text')).toEqual(['I look.', 'Done.', 'Second answer.'])
  expect(textsOf(test, 'thinking')).toEqual(['Let me see.'])
  expect(textsOf(test, 'tool_use').map((text) => JSON.parse(text))).toEqual([bash('echo hello').input])
  expect(test.all('tool.result')).toMatchObject([{ text: 'hello', isError: false }])
  expect(test.all('agent.status').map(({ status }) => status)).toContain('Running `echo hello`')
  expect(new Set(test.all('block.started').map(({ turn }) => turn)).size).toBe(2)
  endsOnce(test)
})

test('an interrupt keeps what was said, and the session goes on', async () => {
  const test = await begin([
    {
      name: 'slow',
      when: when('slow'),
      steps: [
        { text: 'one two three four five six seven eight nine ten', pace: { delay_ms: 300, piece: 'word' } },
      ],
    },
    { name: 'b', steps: [{ text: 'Still here.' }] },
  ])
  test.start('slow please')
  await test.next('block.delta', ({ text }) => text.includes('two'))
  await test.agent.interrupt()
  expect(await test.result()).toMatchObject({ result: 'interrupted' })
  expect(textsOf(test, 'text')[0]).toMatch(/^one two/)
  expect(textsOf(test, 'text')[0]).not.toContain('ten')
  expect(await test.turn('next')).toMatchObject({ result: 'success', message: 'Still here.' })
  endsOnce(test)
})

test('an interrupt before Claude Code took the prompt ends the turn too', async () => {
  const test = await begin([
    { name: 'stall', when: when('wait'), steps: [{ fault: { kind: 'stall' } }] },
    { name: 'b', steps: [{ text: 'Next.' }] },
  ])
  test.start('wait')
  await test.agent.interrupt()
  expect(await test.result()).toMatchObject({ result: 'interrupted' })
  expect(await test.turn('next')).toMatchObject({ result: 'success', message: 'Next.' })
})

test('an interrupt while a tool runs stops the tool', async () => {
  const test = await begin([
    {
      name: 'tool',
      when: when('tail'),
      steps: [{ tools: [bash('touch started; tail -f /dev/null')] }, { text: 'never' }],
    },
    { name: 'b', steps: [{ text: 'Next.' }] },
  ])
  test.start('tail')
  await test.next('agent.status', ({ status }) => status.includes('tail -f'))
  await test.agent.interrupt()
  expect(await test.result()).toMatchObject({ result: 'interrupted' })
  expect(await test.turn('go')).toMatchObject({ message: 'Next.' })
  endsOnce(test)
})

test('a kill in the middle of a turn ends everything, and the conversation can be resumed', async () => {
  const claude = spawning()
  const test = await begin(
    [
      {
        name: 'slow',
        when: when('slow'),
        steps: [{ text: 'one two three four five', pace: { delay_ms: 400, piece: 'word' } }],
      },
      { name: 'b', when: when('go on'), steps: [{ text: 'Went on.' }] },
    ],
    { spawn: claude.spawn },
  )
  const turn = test.start('slow')
  await test.next('block.delta')
  process.kill(claude.pid(), 'SIGKILL')
  const exit = await test.agent.exited
  expect(exit).toMatchObject({ turn, error: { code: 'ended' } })
  expect(test.results).toEqual([])
  expect(test.all('block.aborted')).toHaveLength(1)
  expect(() => test.start('x')).toThrow('has ended')
  await test.agent.close()

  const conversation = test.all('agent.ready')[0]?.conversation ?? ''
  expect(await transcriptHas(place.home, conversation, turnMessageUuid(turn, 1))).toBe(true)
  expect(await transcriptHas(place.home, conversation, turnMessageUuid(turn, 2))).toBe(false)
  const second = again({ conversation, lastTurn: turn })
  expect(await second.turn('go on')).toMatchObject({ result: 'success', message: 'Went on.' })
  expect(second.all('agent.ready')[0]?.conversation).toBe(conversation)
  expect(JSON.stringify(place.model.requests.at(-1))).toContain('slow')
})

test('a message with a uuid that the transcript has is reported as not delivered', async () => {
  const test = await begin([{ name: 'a', steps: [{ text: 'Hello.' }] }])
  const turn = newId('turn')
  const send = (one: TestAgent) =>
    one.agent.startTurn({
      turn,
      attempt: 1,
      uuid: turnMessageUuid(turn, 1),
      content: [{ type: 'text', text: 'hi' }],
    })
  send(test)
  await test.result()
  await test.agent.close()
  const second = again({ conversation: test.all('agent.ready')[0]?.conversation })
  send(second)
  expect(await second.result()).toMatchObject({ result: 'error', code: 'not-delivered' })
})

test('a conversation that is not there is told as such', async () => {
  const test = await begin([], { conversation: 'b0000000-0000-4000-8000-000000000000' })
  await expect(test.agent.ready).rejects.toMatchObject({ code: 'conversation-not-found' })
  expect((await test.agent.exited).error).toBeDefined()
})

test('closing in the middle of a turn ends Claude Code without a result', async () => {
  const claude = spawning()
  const stall = {
    text: 'one two three',
    pace: { piece: 'word' },
    fault: { kind: 'stall', after: 1 },
  } as const
  const test = await begin([{ name: 'stall', steps: [stall] }], { spawn: claude.spawn })
  const turn = test.start('hi')
  await test.next('block.delta')
  await test.agent.close()
  expect(() => process.kill(claude.pid(), 0)).toThrow('ESRCH')
  expect(await test.agent.exited).toEqual({ error: undefined, turn })
  expect(test.results).toEqual([])
  endsOnce(test)
})

test.each([
  [400, 'model-request'],
  [401, 'model-authentication'],
  [404, 'model-not-found'],
])('a model that answers %i gives an error result, and the next turn works', async (status, code) => {
  const test = await begin([
    {
      name: 'bad',
      when: when('bad'),
      steps: [{ fault: { kind: 'status', status, message: 'It went wrong' } }],
    },
    { name: 'b', steps: [{ text: 'Fine.' }] },
  ])
  const result = await test.turn('bad')
  expect(result).toMatchObject({ result: 'error', code })
  expect(result.message.length).toBeGreaterThan(40)
  expect(test.all('block.started')).toEqual([])
  expect(await test.turn('good')).toMatchObject({ result: 'success', message: 'Fine.' })
})

test.each([
  ['overload', { kind: 'status', status: 529, times: 1 }],
  ['a cut stream', { kind: 'cut', after: 2, times: 1 }],
  ['an error in the stream', { kind: 'stream_error', after: 2, times: 1 }],
] as const)('%s is tried again, and the answer is there once', async (_name, fault) => {
  const text = 'A longer answer that comes in several pieces, one after the other.'
  const test = await begin([{ name: 'a', steps: [{ text, fault, pace: { piece: 5 } }] }])
  expect(await test.turn('hi')).toMatchObject({ result: 'success', message: text })
  expect(textsOf(test, 'text')).toEqual([text])
  endsOnce(test)
})

test('retries that all fail give an error result', async () => {
  const test = await begin([
    { name: 'a', steps: [{ fault: { kind: 'status', status: 529, retry_after: 0 } }] },
  ])
  await test.agent.close()
  const few = again({ env: { ...place.env, CLAUDE_CODE_MAX_RETRIES: '1' } })
  expect(await few.turn('hi')).toMatchObject({ result: 'error', code: 'model-overloaded' })
  expect(few.all('agent.retrying')).toMatchObject([{ attempt: 1, status: 529 }])
})

test('too many steps give an error result', async () => {
  const test = await begin([{ name: 'a', steps: [{ repeat: 5, tools: [bash('echo 1')] }] }], { maxSteps: 2 })
  expect(await test.turn('hi')).toMatchObject({ result: 'error', code: 'max-steps' })
})

test('a subagent works in blocks of its own, and what comes after the turn belongs to it', async () => {
  const test = await begin([
    { name: 'sub', when: when('SUBJOB'), steps: [{ text: 'Sub says hi', pace: { first_ms: 300 } }] },
    {
      name: 'main',
      when: when('delegate'),
      steps: [
        {
          tools: [
            {
              name: 'Agent',
              input: { description: 'a job', prompt: 'SUBJOB', subagent_type: 'general-purpose' },
            },
          ],
        },
        { text: 'Started.' },
      ],
    },
    { name: 'rest', steps: [{ text: 'Noted.' }] },
  ])
  expect(await test.turn('delegate')).toMatchObject({ result: 'success', message: 'Started.' })
  const sub = await test.next('block.started', ({ parent }) => parent !== undefined)
  expect(sub).toMatchObject({ kind: 'text', turn: test.results[0]?.turn })
  await test.next('agent.task', ({ state }) => state === 'completed')
  const before = test.all('block.completed').length
  await test.next('block.completed', () => test.all('block.completed').length > before)
  expect(test.results).toHaveLength(1)
  expect(await test.turn('next')).toMatchObject({ result: 'success' })
  expect(
    new Set(
      test
        .all('block.started')
        .slice(0, 4)
        .map(({ turn }) => turn),
    ).size,
  ).toBe(1)
})

test('slash commands that Claude Code answers itself end their turn', async () => {
  const test = await begin([{ name: 'a', steps: [{ text: 'Hello.' }] }])
  await test.turn('hi')
  expect(await test.turn('/context')).toMatchObject({
    result: 'success',
    message: expect.stringContaining('Context'),
  })
  expect(await test.turn('/compact')).toMatchObject({ result: 'success' })
  expect(test.all('agent.compacted')).toMatchObject([{ trigger: 'manual' }])
  const first = test.all('agent.ready').at(-1)?.conversation
  expect(await test.turn('/clear')).toMatchObject({ result: 'success' })
  expect(test.all('agent.ready').at(-1)?.conversation).not.toBe(first)
  expect(await test.turn('hi')).toMatchObject({ result: 'success', message: 'Hello.' })
})

test('the model can be changed between turns, and images and files go with the prompt', async () => {
  const test = await begin([{ name: 'a', steps: [{ text: 'Hello.' }] }], {
    model: 'claude-sonnet-4-5',
    instructions: 'Be brief in Berth.',
  })
  await test.turn('hi')
  await test.agent.setModel('claude-haiku-4-5')
  const turn = newId('turn')
  const data =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  test.agent.startTurn({
    turn,
    attempt: 1,
    uuid: turnMessageUuid(turn, 1),
    content: [
      { type: 'text', text: 'Look' },
      { type: 'image', mediaType: 'image/png', data },
      { type: 'file', name: 'notes.txt', path: '/uploads/notes.txt' },
    ],
  })
  await test.result()
  const bodies = place.model.requests.map((request) => JSON.stringify(request))
  expect(
    bodies.some((body) => body.includes('claude-sonnet-4-5') && body.includes('Be brief in Berth.')),
  ).toBe(true)
  const last = bodies.at(-1) ?? ''
  expect(last).toContain('claude-haiku-4-5')
  expect(last).toContain('image/png')
  expect(last).toContain('/uploads/notes.txt')
})

test('closing at once leaves no process', async () => {
  const claude = spawning()
  const test = await begin([], { spawn: claude.spawn })
  await test.agent.close()
  expect(() => process.kill(claude.pid(), 0)).toThrow('ESRCH')
})

test('a turn at a time', async () => {
  const test = await begin([{ name: 'stall', steps: [{ fault: { kind: 'stall' } }] }])
  test.start('one')
  expect(() => test.start('two')).toThrow('A turn is running')
})

test('the workspace is where the agent works', async () => {
  const test = await begin([
    {
      name: 'a',
      steps: [
        { tools: [{ name: 'Write', input: { file_path: 'made.txt', content: 'by the agent' } }] },
        { text: 'ok' },
      ],
    },
  ])
  await test.turn('write')
  expect(await readFile(join(place.cwd, 'made.txt'), 'utf8')).toBe('by the agent')
})

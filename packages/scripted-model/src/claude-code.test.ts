import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPlayground, type Playground, runClaude, startClaude } from './claude-code.fixture.ts'
import type { Listening } from './listen.ts'
import { builtInScenarios } from './load-scenarios.ts'
import { createScriptedModel, type ScriptedModel } from './scripted-model.ts'

let model: ScriptedModel
let server: Listening
let place: Playground
beforeEach(async () => {
  model = createScriptedModel({ scenarios: builtInScenarios })
  server = await model.listen()
  place = await createPlayground({ sampleAs: 'tidy-durations' })
})
afterEach(async () => {
  await server.close()
  await place.remove()
})

const run = (prompt: string, rest: object = {}) => runClaude({ url: server.url, place, prompt, ...rest })
const outcomes = () => model.requests.map((request) => request.outcome)

describe('the real Claude Code', () => {
  test('gets a plain text', async () => {
    const { result, isError } = await run('echo: good morning')
    expect({ result, isError }).toEqual({ result: 'good morning', isError: false })
  })

  test('is told by the default answer that no model is connected', async () => {
    expect((await run('Write a poem about the sea')).result).toContain('no real model is connected')
  })

  test('repairs the sample repository, and finds nothing to do the second time', async () => {
    const repository = join(place.cwd, 'tidy-durations')
    const check = () =>
      promisify(execFile)('node', ['--test'], { cwd: repository, env: { PATH: process.env.PATH } })
    await expect(check()).rejects.toThrow()
    const first = await run('Fix the failing test')
    expect(first.tools).toEqual(['Bash', 'Read', 'Read', 'Bash', 'Edit', 'Bash'])
    expect(first.result).toContain('The failing test passes now')
    await check()
    expect((await run('Please fix the failing test.')).result).toContain('pass already')
  })

  test('says so when the sample is not there', async () => {
    const empty = await createPlayground()
    const { result, tools } = await runClaude({
      url: server.url,
      place: empty,
      prompt: 'Fix the failing test',
    })
    expect(tools).toEqual(['Bash'])
    expect(result).toContain('did not find the sample library')
    await empty.remove()
  })

  test('says so when its edit is refused', async () => {
    const canUseTool = async (tool: string, input: Record<string, unknown>) =>
      tool === 'Edit'
        ? { behavior: 'deny' as const, message: 'Not today.' }
        : { behavior: 'allow' as const, updatedInput: input }
    const { result } = await run('Fix the failing test', { canUseTool })
    expect(result).toContain('the test still fails')
    expect(result).toContain('Not today.')
  })

  test('thinks', async () => {
    const { thoughts, result } = await run('think about boats')
    expect(thoughts.join()).toContain('turn it over again')
    expect(result).toBe('I have thought about boats.')
  })

  test('calls tools in parallel, in rounds', async () => {
    const { tools, result } = await run('use many tools 2 times')
    expect(tools).toEqual(Array.from({ length: 8 }, () => 'Bash'))
    expect(result).toContain('"four"')
  })

  test('runs commands and reports their results', async () => {
    expect((await run('run: echo $((3 + 4))')).result).toBe('7')
    expect((await run('run: exit 3')).result).toContain('Exit code 3')
  })

  test('writes a file into the workspace', async () => {
    expect((await run('write notes/a.md: one {{cwd}} two')).result).toBe('I wrote notes/a.md.')
    expect(await readFile(join(place.cwd, 'notes/a.md'), 'utf8')).toBe('one {{cwd}} two')
  })

  test('asks the user', async () => {
    const asked: unknown[] = []
    const canUseTool = async (tool: string, input: Record<string, unknown>) => {
      asked.push(tool, input.questions)
      return { behavior: 'allow' as const, updatedInput: { ...input, answers: { 'which colour?': 'blue' } } }
    }
    const { result } = await run('ask me which colour: red or blue', { canUseTool })
    expect(asked).toMatchObject([
      'AskUserQuestion',
      [{ question: 'which colour?', options: [{ label: 'red' }, { label: 'blue' }] }],
    ])
    expect(result).toContain('blue')
  })

  test('asks for a permission, and takes a no', async () => {
    const canUseTool = async () => ({ behavior: 'deny' as const, message: 'Never.' })
    const { result } = await run('need permission to run: touch x', { canUseTool })
    expect(result).toContain('refused or failed')
    expect(result).toContain('Never.')
  })
})

describe('faults, as the real Claude Code meets them', () => {
  test('overloaded twice, then success', async () => {
    expect((await run('overloaded 2 times')).result).toBe('It worked at attempt 3.')
    expect(outcomes()).toEqual(['failed', 'failed', 'answered'])
  })

  test.each([
    ['cut the stream', 'cut'],
    ['break the stream', 'failed'],
  ])('%s: it asks again', async (prompt, outcome) => {
    expect((await run(prompt)).result).toContain('came whole at attempt 2')
    expect(outcomes()).toEqual([outcome, 'answered'])
  })

  test.each([
    [400, '400'],
    [401, 'API key'],
  ])('status %i ends the turn with an error', async (status, words) => {
    const { isError, result } = await run(`fail with ${status}`)
    expect(isError).toBe(true)
    expect(result).toContain(words)
  })

  test('an interrupted slow answer ends, and the client is seen to leave', async () => {
    const query = startClaude({ url: server.url, place, prompt: 'count slowly to 100000' })
    const types: string[] = []
    for await (const message of query) {
      types.push(message.type)
      if (message.type === 'stream_event' && message.event.type === 'content_block_delta')
        await query.interrupt()
      if (message.type === 'result') break
    }
    expect(types.at(-1)).toBe('result')
    await expect.poll(outcomes).toEqual(['abandoned'])
  })
})

describe('a conversation that goes on in another process', () => {
  test('takes the next prompt as the next turn', async () => {
    const { messages } = await run('echo: one')
    const resume = messages[0] && 'session_id' in messages[0] ? messages[0].session_id : ''
    const { result } = await run('echo: two', { options: { resume } })
    expect(result).toBe('two')
  })

  test('finds its step again after a stop in the middle', async () => {
    const stopped = await run('use many tools 3 times', { options: { maxTurns: 1 } })
    expect(stopped.tools).toHaveLength(4)
    const resume = stopped.messages.find((message) => message.type === 'result')?.session_id ?? ''
    // A fresh server knows nothing: all must follow from the request.
    await server.close()
    model = createScriptedModel({ scenarios: builtInScenarios })
    server = await model.listen()
    const continued = await run('Continue where you left off.', { options: { resume } })
    expect(continued.tools).toHaveLength(8)
    expect(continued.result).toContain('All tools have answered')
  })
})

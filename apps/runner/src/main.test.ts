import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { AnyEvent } from '@berth/contract'
import type { ScenarioInput } from '@berth/scripted-model'
import { describe, expect } from 'vitest'
import { session } from './fixtures/place.ts'
import { rigTest, source } from './fixtures/rig-test.ts'
import type { Rig } from './fixtures/runner-process.ts'

const it = rigTest

/** Processes below one, by the program that they run. */
const descendants = (root: number, program: RegExp): number[] => {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It ended meanwhile.
    }
  }
  const below = (pid: number): boolean => pid === root || (pid > 1 && below(parents.get(pid) ?? 0))
  return [...parents.keys()].filter((pid) => {
    try {
      return pid !== root && below(pid) && program.test(readlinkSync(`/proc/${pid}/exe`))
    } catch {
      return false
    }
  })
}

/** Every fact once, numbered without a hole in each generation. */
const expectWholeFacts = (log: readonly AnyEvent[]) => {
  for (const generation of new Set(log.flatMap((event) => event.generation ?? []))) {
    const numbers = log.filter((event) => event.generation === generation).map(({ n }) => n)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  }
}

const stop = async (rig: Rig, runner: ReturnType<Rig['start']>) => {
  rig.home.append('session.stop_requested', { reason: 'user' })
  return runner.exited
}

const counting = (rig: Rig, from = 0) =>
  rig.home.waitFor('block.delta', ({ seq, data }) => seq > from && /\d/.test(data.text))

const timeout = 90_000

// Each has processes of its own, and most of a test is waiting for them.
describe.concurrent('a runner process', { timeout }, () => {
  it('runs turns in a sandbox and shows what they changed', async ({ open }) => {
    const rig = await open()
    const url = source(rig, 'lib')
    rig.home.welcome.repositories = [{ url }]
    const runner = rig.start()
    const { data } = await rig.prompt('write lib/notes.md: some text').ended
    expect(data).toMatchObject({ result: 'success', attempt: 1 })
    const [snapshot] = rig.home.of('workspace.snapshot')
    expect(snapshot?.data.repositories[0]).toMatchObject({
      name: 'lib',
      total: { files: 1, insertions: 1, deletions: 0 },
    })
    const content = snapshot?.data.repositories[0]?.files[0]?.content?.blob ?? ''
    expect(rig.home.blobs.get(content)?.toString('utf8')).toBe('some text')
    const whoami = await rig.prompt(
      'run: id -u; cat /proc/1/environ | tr "\\0" "\\n"; ls /; git -C lib log --format=%an%ae',
    ).ended
    expect(whoami.data.result).toBe('success')
    expect(JSON.stringify(rig.home.log)).not.toContain('runner-token')
    expect(await stop(rig, runner)).toEqual({ code: 0, signal: null })
    expect(runner.output()).not.toContain('runner-token')
    expect(runner.output()).not.toContain('some text')
    expectWholeFacts(rig.home.log)
    const types = rig.home.log.map(({ type }) => type)
    expect(types.indexOf('runner.started')).toBeLessThan(types.indexOf('workspace.ready'))
    expect(types.indexOf('workspace.ready')).toBeLessThan(types.indexOf('agent.ready'))
    expect(rig.home.of('isolation.tested')[0]?.data).toMatchObject({ ok: true })
    expect(types.indexOf('workspace.snapshot')).toBeLessThan(types.indexOf('turn.ended'))
    expect(rig.home.heartbeats.length).toBeGreaterThan(0)
  })

  it('interrupts a turn and takes the next', async ({ open }) => {
    const rig = await open()
    rig.start()
    const slow = rig.prompt('count slowly to 100000')
    await counting(rig)
    const { data } = await slow.started
    rig.home.append('turn.interrupt_requested', { turn: data.turn })
    expect((await slow.ended).data).toMatchObject({ result: 'interrupted', code: 'interrupted' })
    expect((await rig.prompt('write a.md: b').ended).data.result).toBe('success')
  })

  it('goes on in the next generation after it was killed in the middle of a turn', async ({ open }) => {
    const rig = await open()
    const first = rig.start()
    const slow = rig.prompt('count slowly to 100000')
    await counting(rig)
    first.child.kill('SIGKILL')
    await first.exited
    rig.home.nextGeneration()
    rig.model.reset()
    const second = rig.start()
    const again = await rig.home.waitFor('turn.started', ({ data }) => data.attempt === 2)
    const request = await rig.model.waitForRequest(
      ({ body }) => JSON.stringify(body).includes('started again'),
      { timeoutMs: 60_000 },
    )
    // The prompt is there once, from the transcript; what came anew is the request to go on.
    expect(JSON.stringify(request.body).split('count slowly to 100000').length - 1).toBe(1)
    rig.home.append('turn.interrupt_requested', { turn: again.data.turn })
    expect((await slow.ended).data).toMatchObject({ attempt: 2 })
    expect(await stop(rig, second)).toEqual({ code: 0, signal: null })
    expectWholeFacts(rig.home.log)
  })

  it('hands over what it could not send before it was killed', async ({ open }) => {
    const rig = await open()
    const first = rig.start()
    const slow = rig.prompt('count slowly to 100000')
    const seen = await counting(rig)
    rig.home.deaf = true
    const journal = join(rig.root, 'session/outbox/1.jsonl')
    const waiting = () => readFileSync(journal, 'utf8').split('\n').length
    const before = waiting()
    await expect.poll(waiting, { timeout: 30_000 }).toBeGreaterThan(before + 5)
    first.child.kill('SIGKILL')
    await first.exited
    const written = waiting() - 1
    rig.home.deaf = false
    rig.home.nextGeneration()
    rig.start()
    const again = await rig.home.waitFor('turn.started', ({ data }) => data.attempt === 2)
    const of1 = rig.home.log.filter(({ generation }) => generation === 1)
    expect(of1.length).toBeGreaterThanOrEqual(written)
    expect(of1.at(-1)?.seq).toBeLessThan(rig.home.of('runner.started')[1]?.seq ?? 0)
    expect(seen.seq).toBeLessThan(again.seq)
    expectWholeFacts(rig.home.log)
    rig.home.append('turn.interrupt_requested', { turn: again.data.turn })
    await slow.ended
  })

  it('starts Claude Code again when that is killed, once in a turn', async ({ open }) => {
    const rig = await open()
    const runner = rig.start()
    const slow = rig.prompt('use many tools 900 times')
    await rig.home.waitFor('tool.result')
    const claude = () => descendants(runner.child.pid ?? 0, /claude/)
    for (const pid of claude()) process.kill(pid, 'SIGKILL')
    const exited = await rig.home.waitFor('agent.exited')
    expect(exited.data.reason).toBe('killed')
    const request = await rig.model.waitForRequest(
      ({ body }) => JSON.stringify(body).includes('started again'),
      { timeoutMs: 60_000 },
    )
    expect(request).toBeDefined()
    await rig.home.waitFor('tool.result', ({ seq }) => seq > exited.seq)
    for (const pid of claude()) process.kill(pid, 'SIGKILL')
    expect((await slow.ended).data).toMatchObject({ result: 'failed', code: 'agent-crashed', attempt: 1 })
    expect((await rig.prompt('write a.md: b').ended).data.result).toBe('success')
    expectWholeFacts(rig.home.log)
  })

  it('works on while the backend is away for a while', async ({ open }) => {
    const rig = await open()
    const runner = rig.start()
    const slow = rig.prompt('count slowly to 30 every 20 ms')
    await counting(rig)
    await rig.home.goAway()
    await rig.home.comeBack()
    expect(['success', 'error']).toContain((await slow.ended).data.result)
    expect((await rig.prompt('write a.md: b').ended).data.result).toBe('success')
    expect(await stop(rig, runner)).toEqual({ code: 0, signal: null })
    expectWholeFacts(rig.home.log)
  })

  it('stops at once, with its own exit code, when a newer runner took over', async ({ open }) => {
    const rig = await open()
    const runner = rig.start()
    rig.prompt('count slowly to 100000')
    await counting(rig)
    rig.home.nextGeneration()
    const length = rig.home.log.length
    expect(await runner.exited).toEqual({ code: 3, signal: null })
    expect(rig.home.log.length).toBe(length)
    expect(descendants(runner.child.pid ?? 0, /claude/)).toEqual([])
  })

  it('leaves its turn to the next runner, and sends the rest, on SIGTERM without a stop (R1)', async ({
    open,
  }) => {
    const rig = await open()
    const runner = rig.start()
    const slow = rig.prompt('count slowly to 100000')
    await counting(rig)
    runner.child.kill('SIGTERM')
    expect(await runner.exited).toEqual({ code: 5, signal: null })
    expect(rig.home.of('turn.ended')).toEqual([])
    expect(rig.home.of('block.aborted').length).toBeGreaterThan(0)
    expect(descendants(runner.child.pid ?? 0, /claude/)).toEqual([])
    rig.home.nextGeneration()
    rig.start()
    const again = await rig.home.waitFor('turn.started', ({ data }) => data.attempt === 2)
    await rig.model.waitForRequest(({ body }) => JSON.stringify(body).includes('started again'), {
      timeoutMs: 60_000,
    })
    rig.home.append('turn.interrupt_requested', { turn: again.data.turn })
    expect((await slow.ended).data).toMatchObject({ attempt: 2 })
    expectWholeFacts(rig.home.log)
  })

  it('tells why a start can’t succeed', async ({ open }) => {
    const rig = await open({ repositories: [{ url: '/nowhere/at/all' }] })
    expect(await rig.start().exited).toEqual({ code: 2, signal: null })
    expect(rig.home.of('start.failed')).toMatchObject([
      { data: { reason: 'clone', message: expect.stringContaining('/nowhere/at/all') } },
    ])
  })

  it('starts a new conversation when the old one is gone, and nothing was said in it', async ({ open }) => {
    const rig = await open()
    const gone = '0199e0a0-0000-7000-8000-000000000001'
    rig.home.welcome.conversation = gone
    rig.start()
    expect((await rig.prompt('write a.md: b').ended).data.result).toBe('success')
    const [ready] = rig.home.of('agent.ready')
    expect(ready?.data.conversation).not.toBe(gone)
    expect(rig.home.of('conversation.rebuilt')).toEqual([])
  })

  it('shows attached files to the agent, and takes a prompt that is only in the blob store', async ({
    open,
  }) => {
    const scenarios: ScenarioInput[] = [{ name: 'any', description: 'Answers.', steps: [{ text: 'Seen.' }] }]
    const rig = await open({ scenarios })
    const blob = (content: string | Buffer) => {
      const bytes = Buffer.from(content)
      const key = createHash('sha256').update(bytes).digest('hex')
      rig.home.blobs.set(key, bytes)
      return { blob: key, size: bytes.length, mediaType: 'text/plain' }
    }
    const pixel =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const content = [
      { type: 'text', text: 'beginning', full: blob('the whole long prompt') },
      { type: 'image', mediaType: 'image/png', content: blob(Buffer.from(pixel, 'base64')) },
      { type: 'file', name: '..', mediaType: 'text/csv', content: blob('a,b') },
    ]
    rig.home.append('prompt.queued', { prompt: 'prm_01jd0000000000000000000000', content })
    rig.start()
    await rig.home.waitFor('agent.ready')
    rig.home.append('turn.started', {
      turn: 'trn_01jd0000000000000000000000',
      prompt: 'prm_01jd0000000000000000000000',
      promptSeq: 1,
      attempt: 1,
    })
    await rig.home.waitFor('turn.ended')
    const request = await rig.model.waitForRequest(({ body }) =>
      JSON.stringify(body).includes('the whole long prompt'),
    )
    expect(JSON.stringify(request.body)).toMatch(/"type":"image","source":\{"type":"base64"/)
    const place = 'prm_01jd0000000000000000000000-3/_..'
    expect(JSON.stringify(request.body)).toContain(`/attachments/${place}`)
    expect(readFileSync(join(rig.root, 'session/attachments', place), 'utf8')).toBe('a,b')
  })

  it('ends a turn at its time limit', async ({ open }) => {
    const rig = await open({ settings: { turnMinutes: 0.02 } })
    rig.start()
    expect((await rig.prompt('count slowly to 100000').ended).data).toMatchObject({
      result: 'interrupted',
      code: 'time-limit',
    })
  })

  it('[P43] ends a turn with the reason when its session reaches its deadline', async ({ open }) => {
    const rig = await open()
    const runner = rig.start()
    const slow = rig.prompt('count slowly to 100000')
    await counting(rig)
    rig.home.append('session.stop_requested', { reason: 'deadline' })
    expect((await slow.ended).data).toMatchObject({
      result: 'interrupted',
      code: 'deadline',
      message: expect.stringContaining('deadlineMinutes'),
    })
    expect(await runner.exited).toEqual({ code: 0, signal: null })
  })

  it.for(['user', 'deleted'] as const)(
    'ends at once when its session was told to before it said hello: %s',
    async (leaving, { open }) => {
      const rig = await open()
      rig.home.welcome.leaving = leaving
      const runner = rig.start()
      expect(await runner.exited).toEqual({ code: 0, signal: null })
      expect(rig.home.log.map(({ type }) => type)).toEqual(['runner.started'])
    },
  )

  it('works without a sandbox when the operator says so, and says so too', async ({ open }) => {
    const rig = await open({ sandbox: 'off' })
    const runner = rig.start()
    expect((await rig.prompt('run: pwd').ended).data).toMatchObject({ result: 'success' })
    expect(rig.home.of('isolation.tested')[0]?.data).toMatchObject({ sandboxed: false })
    expect(await stop(rig, runner)).toEqual({ code: 0, signal: null })
  })
})

describe('the program', () => {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const call = (args: string[], env: Record<string, string> = {}) =>
    promisify(execFile)(process.execPath, [main, ...args], { env: { PATH: process.env.PATH ?? '', ...env } })

  it('tells its version', async () => {
    expect((await call(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('checks the sandbox', async () => {
    const off = JSON.parse((await call(['--check'], { BERTH_SANDBOX: 'off' })).stdout)
    expect(off).toMatchObject({ sandbox: 'none', ok: true })
    const missing = await call(['--check'], { PATH: '/nonexistent' }).catch((error) => error)
    expect(JSON.parse(missing.stdout)).toMatchObject({ ok: false, repair: expect.stringMatching(/\S/) })
  })

  it('names what is missing in its environment', async () => {
    const error = await call([], { BERTH_SESSION: session }).catch((caught) => caught)
    expect(error.code).toBe(2)
    expect(error.stderr).toContain('BERTH_RUNNER_TOKEN')
  })
})

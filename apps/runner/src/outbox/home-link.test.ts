import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunnerClient } from '@berth/client'
import { limits, type RunnerFactBody } from '@berth/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeHome, type FakeHome, tokenOf } from '../fixtures/fake-home.ts'
import { turn } from '../fixtures/place.ts'
import { createContact } from './contact.ts'
import { toLine } from './entry.ts'
import { type HomeLink, openHomeLink } from './home-link.ts'

let directory: string
let home: FakeHome
const links: { link: HomeLink; over: AbortController }[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-link-'))
  home = await createFakeHome({})
})
afterEach(async () => {
  for (const { link, over } of links.splice(0)) {
    over.abort()
    await link.close()
  }
  await home.close()
  rmSync(directory, { recursive: true, force: true })
})

const notice = (message: string): RunnerFactBody => ({
  type: 'runner.notice',
  data: { level: 'info', message },
})
const stored = () => home.of('runner.notice').map(({ data }) => data.message)

const open = async (generation = home.generation) => {
  const retry = { attempts: 1 }
  const client = createRunnerClient({ baseUrl: home.url, token: tokenOf(generation), retry })
  const over = new AbortController()
  const fatal: unknown[] = []
  const welcome = await client.hello()
  const link = await openHomeLink({
    home: client,
    directory,
    welcome,
    contact: createContact(() => 0),
    signal: over.signal,
    now: () => new Date(),
    onProblem: () => undefined,
    onFatal: (error) => fatal.push(error),
  })
  links.push({ link, over })
  return { link, fatal, emit: link.emitter.emit }
}

describe('the link home', () => {
  it('brings every fact, once and in order', async () => {
    const { link, emit } = await open()
    for (let i = 0; i < 1200; i++) emit(notice(String(i)))
    expect(await link.flush(20_000)).toBe(true)
    expect(stored()).toEqual(Array.from({ length: 1200 }, (_, i) => String(i)))
    expect(home.log.map(({ n }) => n)).toEqual(Array.from({ length: 1200 }, (_, i) => i + 1))
  })

  it('waits for a backend that is away', async () => {
    const { link, emit } = await open()
    await home.goAway()
    emit(notice('a'))
    expect(await link.flush(150)).toBe(false)
    await home.comeBack()
    expect(await link.flush(20_000)).toBe(true)
    expect(stored()).toEqual(['a'])
  })

  it('puts long texts into blobs that are there before their fact', async () => {
    const { link, emit } = await open()
    const text = 'é'.repeat(limits.inlineText)
    const missing: string[] = []
    home.onEvent = (event) => {
      if (event.type === 'tool.result' && !home.blobs.has(event.data.full?.blob ?? '')) missing.push('blob')
    }
    emit({ type: 'tool.result', data: { turn, toolUse: 't', isError: false, text: `${text}x` } })
    emit(notice('after'))
    expect(await link.flush(20_000)).toBe(true)
    const [result] = home.of('tool.result')
    expect(result?.data.text).toBe('é'.repeat(limits.preview))
    expect(home.blobs.get(result?.data.full?.blob ?? '')?.toString('utf8')).toBe(`${text}x`)
    expect(home.log.map(({ type }) => type)).toEqual(['tool.result', 'runner.notice'])
    expect(missing).toEqual([])
  })

  it('hands over what the generation before left, with its blobs, then forgets it', async () => {
    const first = await open()
    first.emit(notice('a'))
    expect(await first.link.flush(20_000)).toBe(true)
    await home.goAway()
    first.emit(notice('b'))
    first.emit({
      type: 'tool.result',
      data: { turn, toolUse: 't', isError: false, text: 'x'.repeat(70_000) },
    })
    await first.link.close()
    await home.comeBack()
    home.nextGeneration()
    const second = await open()
    second.emit(notice('c'))
    expect(await second.link.flush(20_000)).toBe(true)
    expect(home.log.map(({ generation, n, type }) => `${generation}.${n} ${type}`)).toEqual([
      '1.1 runner.notice',
      '1.2 runner.notice',
      '1.3 tool.result',
      '2.1 runner.notice',
    ])
    expect(home.blobs.size).toBe(1)
    expect(readdirSync(directory).sort()).toEqual(['2.jsonl', 'blobs'])
    await expect.poll(() => readdirSync(join(directory, 'blobs'))).toEqual([])
  })

  it('learns where the backend stands when it misses a fact', async () => {
    const lines = [1, 2, 3].map((n) =>
      toLine({ n, blobs: [], fact: JSON.stringify({ n, at: new Date().toISOString(), ...notice(`${n}`) }) }),
    )
    writeFileSync(join(directory, '1.jsonl'), `${lines.join('\n')}\n`)
    const { link, emit } = await open()
    emit(notice('4'))
    expect(await link.flush(20_000)).toBe(true)
    expect(stored()).toEqual(['1', '2', '3', '4'])
  })

  it('replaces a fact that is refused by a notice, and goes on', async () => {
    const { link, emit } = await open()
    emit(notice('a'))
    emit({ type: 'block.delta', data: { block: 'nonsense', offset: 0, text: '' } })
    emit(notice('b'))
    expect(await link.flush(20_000)).toBe(true)
    expect(stored()).toEqual(['a', expect.stringContaining('block.delta was refused'), 'b'])
  })

  it('tells when a newer runner took over', async () => {
    const { emit, fatal } = await open()
    home.nextGeneration()
    emit(notice('late'))
    await expect.poll(() => fatal).toMatchObject([{ code: 'fenced' }])
    expect(stored()).toEqual([])
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Store } from '../port.ts'
import { type Bench, codeOf, type MakeStore, openStore, promptCommand, startOfTime } from './harness.ts'

const loop = fileURLToPath(new URL('./append-loop.ts', import.meta.url))

export const durabilityCases = (bench: () => Bench, makeStore: MakeStore) => {
  it('has everything after it is closed and opened again', async () => {
    const session = await bench().liveSession({ tokenHash: 'one' })
    await bench().append(session, promptCommand())
    const state = await bench().store.state(session)
    const events = await bench().events(session)
    await bench().reopen()
    expect(await bench().store.state(session)).toEqual(state)
    expect(await bench().events(session)).toEqual(events)
    expect(await bench().store.runner('one')).toMatchObject({ session, current: true })
    expect((await bench().append(session, promptCommand())).first).toBe(events.length + 1)
  })

  it('finishes what was accepted before it closes, then refuses', async () => {
    const session = await bench().session()
    const accepted = Array.from({ length: 50 }, () => bench().append(session, promptCommand()))
    await bench().store.close()
    await Promise.all(accepted)
    expect(await codeOf(bench().append(session, promptCommand()))).toBe('unavailable')
    expect(await codeOf(bench().store.ping())).toBe('unavailable')
    expect(await codeOf(bench().store.state(session))).toBe('unavailable')
    await bench().store.close()
    await bench().reopen()
    expect(await bench().events(session)).toHaveLength(51)
  })

  it('loses nothing that was acknowledged, and has nothing half done, after kill -9', async () => {
    const harness = await makeStore()
    try {
      await seed(harness.opener)
      for (let kills = 0; kills < 3; kills++) {
        const acknowledged = await appendUntilKilled(harness.opener, 150 + 100 * kills)
        const store = await openStore(harness.opener)
        for (const [session, n] of acknowledged) await checkLog(store, session, n)
        await store.close()
      }
    } finally {
      await harness.dispose()
    }
  }, 90_000)
}

type Opener = Parameters<typeof openStore>[0]

const seed = async (opener: Opener) => {
  const store = await openStore(opener)
  await store.createProject({
    name: 'p',
    displayName: 'P',
    description: '',
    settings: {},
    now: startOfTime,
  })
  await store.close()
}

/** The last acknowledged fact of each session, of a process that was killed after `count` answers. */
const appendUntilKilled = async (opener: Opener, count: number): Promise<Map<string, number>> => {
  const child = spawn(process.execPath, [loop, JSON.stringify(opener)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const acknowledged = new Map<string, number>()
  let answers = 0
  for await (const line of createInterface(child.stdout)) {
    const { session, n = 0 } = JSON.parse(line)
    acknowledged.set(session, n)
    if (++answers === count) child.kill('SIGKILL')
  }
  await ended(child)
  expect(answers).toBeGreaterThanOrEqual(count)
  return acknowledged
}

const ended = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

/** Everything acknowledged is there; facts came in pairs, so an odd number would be half an append. */
const checkLog = async (store: Store, session: string, n: number) => {
  const lines = await store.events(session, { after: 0, limit: 100_000, maxBytes: 1e9 })
  const state = await store.state(session)
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1))
  expect(state?.summary.seq).toBe(lines.length)
  expect(state?.n).toBeGreaterThanOrEqual(n)
  expect(lines.length - 2).toBe(state?.n)
  expect((state?.n ?? 1) % 2).toBe(0)
}

import { startPostgres } from '@berth/testing'
import { afterAll, expect, it, onTestFinished, vi } from 'vitest'
import { codeOf, createCommand, newId, promptCommand, startOfTime } from '../conformance/harness.ts'
import type { Store } from '../port.ts'
import { createNetwork } from './fixtures/test-network.ts'
import { createPostgresStore } from './postgres-store.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

/** So much sooner than usual, the one behind the network gives up. */
const short = { statementMs: 2000, answerMs: 1500, connectMs: 1500, checkMs: 100 }

const open = async (url: string, limits = {}): Promise<Store> => {
  const store = await createPostgresStore({ url, ...limits })
  onTestFinished(() => store.close())
  return store
}

it('[P92] notices that a network swallows everything, goes on when it is back, and hears the others again', async () => {
  const url = await postgres.createDatabase()
  const network = await createNetwork(url)
  onTestFinished(() => network.close())
  const [there, here] = [await open(url), await open(network.url, short)]
  await there.createProject({ name: 'p', displayName: 'P', description: '', settings: {}, now: startOfTime })
  const session = newId('session')
  const append = (store: Store, command = promptCommand()) =>
    store.append({ session, command, turn: newId('turn'), now: startOfTime })
  await append(here, createCommand(session))
  let heard = 0
  here.watch(({ lines }) => {
    if (lines === undefined) heard += 1
  })
  await append(there)
  await vi.waitUntil(() => heard > 0, 20_000)

  network.swallow()
  const refused = [append(here), here.state(session), here.ping(), here.lease('x', 'here', 1000)]
  expect(await Promise.all(refused.map(codeOf))).toEqual(Array(4).fill('unavailable'))
  network.heal()
  await vi.waitUntil(async () => (await codeOf(here.ping())) === 'fulfilled', 20_000)

  heard = 0
  await vi.waitUntil(async () => {
    await append(there)
    return heard > 0
  }, 20_000)
  const last = await append(here)
  const lines = await there.events(session, { after: 0, limit: 1000, maxBytes: 1e9 })
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1))
  expect(lines.at(-1)?.seq).toBe(last.first)
}, 60_000)

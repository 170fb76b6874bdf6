import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Store } from '../store/port.ts'
import { createSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { createCipher } from './cipher.ts'
import { createKeyRing } from './key-ring.ts'
import { StoredSecrets } from './stored-secrets.ts'

let directory = ''
let store: Store
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-noted-'))
  store = await createSqliteStore({ file: join(directory, 'berth.db') })
  await store.createProject({ name: 'p', displayName: 'P', description: '', settings: {}, now: 1 })
})
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

const hour = 3600_000
const actor = { kind: 'user' as const, id: 'ada' }
const place = { project: 'p', name: 'token' }

it('a use is noted once an hour, and again for a secret that was made anew', async () => {
  let writes = 0
  const counting: Store = new Proxy(store, {
    get: (target, name) => {
      if (name === 'secretUsed') writes += 1
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  let now = 10 * hour
  const keys = createKeyRing('a', new Map([['a', Buffer.alloc(32, 'a')]]))
  const log = pino({ level: 'silent' })
  const secrets = new StoredSecrets({
    store: counting,
    keys,
    cipher: createCipher(keys),
    log,
    now: () => now,
  })
  const put = () =>
    secrets.put({ ...place, setBy: actor }, { kind: 'git-host', value: 'some-value', note: '' })
  const used = async (use: string) => {
    await secrets.value({ ...place, use, actor })
    const [row] = await secrets.list('p')
    return { writes, for: row?.usedFor, at: Date.parse(row?.usedAt ?? '') / hour }
  }
  await put()
  expect(await used('git')).toEqual({ writes: 1, for: 'git', at: 10 })
  now += hour / 2
  expect(await used('git')).toEqual({ writes: 1, for: 'git', at: 10 })
  expect(await used('model')).toEqual({ writes: 2, for: 'model', at: 10.5 })
  now += hour / 2
  expect(await used('git')).toEqual({ writes: 3, for: 'git', at: 11 })
  await store.deleteSecret({ ...place, now })
  await put()
  expect(await used('git')).toEqual({ writes: 4, for: 'git', at: 11 })
})

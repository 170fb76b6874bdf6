import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../store/port.ts'
import { createSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { createCipher } from './cipher.ts'
import { claimKeys } from './claim-keys.ts'
import { createKeyRing } from './key-ring.ts'
import { StoredSecrets } from './stored-secrets.ts'

let directory = ''
let store: Store
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-claim-'))
  store = await createSqliteStore({ file: join(directory, 'berth.db') })
})
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

const log = pino({ level: 'silent' })
const ring = (id: string, text = id) => createKeyRing(id, new Map([[id, Buffer.alloc(32, text)]]))
const actor = { kind: 'user' as const, id: 'ada' }

const secretsUnder = (id: string) => {
  const keys = ring(id)
  return new StoredSecrets({ store, keys, cipher: createCipher(keys), log, now: () => 1 })
}

describe('the keys of an installation', () => {
  it('[P171] that are missing or changed are told of at the start, and nothing is written over', async () => {
    await store.createProject({ name: 'p', displayName: 'P', description: '', settings: {}, now: 1 })
    await claimKeys({ store, log, keys: ring('a') })
    const input = { kind: 'git-host' as const, value: 'a-value-of-old', note: '' }
    await secretsUnder('a').put({ project: 'p', name: 'token', setBy: actor }, input)
    await expect(claimKeys({ store, log, keys: ring('b') })).rejects.toThrow(
      /1 values of secrets .* key a.*BERTH_LOST_KEYS=a/,
    )
    await expect(claimKeys({ store, log, keys: ring('a', 'other') })).rejects.toThrow(
      'other keys than before under a',
    )
    await claimKeys({ store, log, keys: ring('b'), lost: ['a'] })
    expect(await secretsUnder('b').list('p')).toMatchObject([{ usable: false }])
    const use = { project: 'p', name: 'token', use: 'test', actor }
    await expect(secretsUnder('b').value(use)).rejects.toMatchObject({ code: 'secret_unusable' })
    expect(await secretsUnder('a').value(use)).toBe('a-value-of-old')
    await expect(secretsUnder('a').fill(`x \${secret:none}`, use)).rejects.toMatchObject({
      code: 'secret_not_found',
    })
    expect(await secretsUnder('a').fill(`x \${secret:token} \${token}`, use)).toBe(
      `x a-value-of-old \${token}`,
    )
  })

  it('[P179] sign out browsers whose tokens nobody can open any more, and say so', async () => {
    const lines: string[] = []
    const told = pino({}, { write: (line: string) => void lines.push(line) })
    const identity = { user: 'ada', groups: [] }
    const times = { createdAt: 1, usedAt: 1, expiresAt: 100 }
    for (const id of ['a', 'gone'])
      await store.createBrowserSession({ hash: id, subject: 's', identity, ...times, sealed: `b1.${id}.x` })
    await claimKeys({ store, log: told, keys: ring('a') })
    const left = (hash: string) => store.browserSession(hash, { now: 2, idleSince: 0 })
    expect([await left('gone'), (await left('a'))?.hash]).toEqual([undefined, 'a'])
    expect(lines.join('')).toContain('"browsers":1')
  })

  it('must be the same for all who share a database', async () => {
    const shared = Object.assign(Object.create(store), {
      kind: 'postgres',
      sealedBy: async () => new Map(),
      endBrowsersSealedOtherwise: async () => 0,
      claimKeys: (claim: Parameters<Store['claimKeys']>[0]) => store.claimKeys(claim),
    }) as Store
    await expect(claimKeys({ store: shared, log, keys: ring('c') })).rejects.toThrow('BERTH_KEYS_FILE')
    await claimKeys({ store: shared, log, keys: ring('a') })
  })
})

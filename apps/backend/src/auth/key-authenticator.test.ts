import { randomBytes } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import type { KeyCredential } from '../store/key-store.ts'
import { makeApiKey, secretOf } from './api-key.ts'
import { KeyAuthenticator } from './key-authenticator.ts'
import { sha256 } from './sha256.ts'

const { id, secret } = makeApiKey(0, randomBytes)
const before = secretOf(id, randomBytes)
const known: KeyCredential = {
  ...{ id, project: 'web', name: 'ci', hash: sha256(secret), previousHash: sha256(before) },
  ...{ graceUntil: 50, expiresAt: 100, lastUsedAt: undefined },
}

const at = (now: number, key: KeyCredential | undefined = known) => {
  const touchKey = vi.fn(async () => undefined)
  const failed = vi.fn()
  const keys = new KeyAuthenticator({
    store: { keyCredential: async () => key, touchKey },
    now: () => now,
    failed,
  })
  return { keys, touchKey, failed }
}
const until = (now: number, bearer: string) =>
  at(now)
    .keys.authenticate({ bearer })
    .then(
      (principal) => principal?.expiresAt,
      (error) => error.code,
    )

describe('a key', () => {
  it('counts until it expires, its secret of before until the grace is over', async () => {
    expect(await until(99, secret)).toBe(100)
    expect(await until(100, secret)).toBe('unauthenticated')
    expect(await until(49, before)).toBe(50)
    expect(await until(50, before)).toBe('unauthenticated')
    expect(await until(0, secretOf(id, randomBytes))).toBe('unauthenticated')
  })

  it('has only itself as a name, and is never a platform admin', async () => {
    expect(await at(0).keys.authenticate({ bearer: secret })).toMatchObject({
      ...{ actor: { kind: 'key', id, name: 'ci' }, subjects: [{ kind: 'key', id }] },
      ...{ platformAdmin: false, mayCreateProjects: false },
    })
  })

  it('is not one that is revoked, or that only looks like one', async () => {
    const gone = new KeyAuthenticator({
      store: { keyCredential: async () => undefined, touchKey: async () => undefined },
      now: () => 0,
      failed: () => undefined,
    })
    await expect(gone.authenticate({ bearer: secret })).rejects.toThrow('revoked, rotated or expired')
    for (const bearer of ['', 'brt_key_x', `${secret}0`, id]) {
      expect(await at(0).keys.authenticate({ bearer })).toBeUndefined()
    }
  })

  it('has its use noted once a minute, and no failure of that refuses it', async () => {
    const used = at(60_000, { ...known, expiresAt: 1e9, lastUsedAt: 1 })
    expect(await used.keys.authenticate({ bearer: secret })).toBeDefined()
    expect(used.touchKey).not.toHaveBeenCalled()
    const later = at(60_001, { ...known, expiresAt: 1e9, lastUsedAt: 1 })
    later.touchKey.mockRejectedValue(new Error('full'))
    expect(await later.keys.authenticate({ bearer: secret, address: '::1' })).toBeDefined()
    expect(later.touchKey).toHaveBeenCalledWith(id, { now: 60_001, address: '::1' })
    await vi.waitFor(() => expect(later.failed).toHaveBeenCalledTimes(1), 20_000)
  })
})

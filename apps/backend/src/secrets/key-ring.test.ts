import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeyRing, KeyMissing, newKeyFile, openKeyRing, parseKeyRing } from './key-ring.ts'

let dataDir = ''
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'berth-keys-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

describe('the key ring', () => {
  it('is made once, for the owner of the process only, also by several at once', async () => {
    const rings = await Promise.all([1, 2, 3].map(() => openKeyRing({ keysFile: undefined, dataDir })))
    expect(new Set(rings.map(({ current }) => current)).size).toBe(1)
    expect((await stat(join(dataDir, 'keys.json'))).mode & 0o777).toBe(0o600)
    const again = await openKeyRing({ keysFile: undefined, dataDir })
    expect(again.derive('x')).toEqual(rings[0]?.derive('x'))
  })

  it('derives another key for each purpose and each key', () => {
    const key = (byte: number) => new Uint8Array(32).fill(byte)
    const keys = new Map([
      ['a', key(1)],
      ['b', key(2)],
    ])
    const ring = createKeyRing('a', keys)
    const derived = [ring.derive('x'), ring.derive('y'), ring.derive('x', 'b')].map((bytes) =>
      bytes.toString('hex'),
    )
    expect(new Set(derived).size).toBe(3)
    expect(ring.derive('x', 'a')).toEqual(ring.derive('x'))
    expect(ring.check('a')).not.toBe(ring.check('b'))
    expect(() => ring.derive('x', 'c')).toThrow(KeyMissing)
  })

  it('refuses a file that is none, without telling what stands in it', async () => {
    const file = join(dataDir, 'other.json')
    await expect(openKeyRing({ keysFile: file, dataDir })).rejects.toThrow('can’t be read'.replace('’', "'"))
    const canary = 'CANARY-that-is-no-key'
    for (const text of [
      canary,
      JSON.stringify({ current: 'a', keys: { a: canary } }),
      JSON.stringify({ current: 'b', keys: JSON.parse(newKeyFile()).keys }),
    ]) {
      await writeFile(file, text)
      const error = await openKeyRing({ keysFile: file, dataDir }).catch(({ message }: Error) => message)
      expect(error).toContain('is not a key file')
      expect(error).not.toContain(canary)
    }
    await writeFile(file, newKeyFile())
    const ring = await openKeyRing({ keysFile: file, dataDir })
    expect(parseKeyRing(await readFile(file, 'utf8'), file).current).toBe(ring.current)
  })
})

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownerToken, readToken } from './owner-token.ts'

const token = 'brt_owner_a-token-that-is-long-enough'
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'berth-token-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

const file = (content: string, name = 'given') => {
  const path = join(dataDir, name)
  return writeFile(path, content).then(() => path)
}

describe('ownerToken', () => {
  it('makes one that stays, for its owner alone', async () => {
    const made = await ownerToken({ dataDir, ownerTokenFile: undefined })
    expect(await ownerToken({ dataDir, ownerTokenFile: undefined })).toBe(made)
    expect((await stat(join(dataDir, 'owner-token'))).mode & 0o777).toBe(0o600)
  })

  it('makes one when several backends start over one directory', async () => {
    const places = Array.from({ length: 8 }, () => ({ dataDir, ownerTokenFile: undefined }))
    expect(new Set(await Promise.all(places.map(ownerToken))).size).toBe(1)
    expect(await readdir(dataDir)).toEqual(['owner-token'])
  })

  it('takes the configured file, and makes none beside it', async () => {
    const ownerTokenFile = await file(`${token}\n`)
    expect(await ownerToken({ dataDir, ownerTokenFile })).toBe(token)
    await expect(readFile(join(dataDir, 'owner-token'))).rejects.toThrow('ENOENT')
  })
})

describe('readToken', () => {
  it.each(['', 'short', `${token} ${token}`, `${token}\n${token}`])('refuses %j', async (content) => {
    const path = await file(content)
    const refusal = await readToken(path).catch((error: Error) => error.message)
    expect(refusal).toContain(`${path} does not hold a token`)
    if (content !== '') expect(refusal).not.toContain(content)
  })

  it('tells of a file that is not there', async () => {
    await expect(readToken(join(dataDir, 'none'))).rejects.toThrow(/none can't be read \(ENOENT\)/)
  })
})

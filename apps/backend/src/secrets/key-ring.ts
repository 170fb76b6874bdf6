import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** The keys under which this installation seals what nobody may read in its database. */
export interface KeyRing {
  /** The id of the key under which new things are sealed. */
  readonly current: string
  /** All ids; those besides `current` only open what was sealed before. */
  readonly ids: readonly string[]
  has(id: string): boolean
  /**
   * 32 bytes for one purpose, by HKDF: a key of its own for each use, from which the key of the ring can't be told. Default:
   * of the current key. Throws `KeyMissing`.
   */
  derive(purpose: string, id?: string): Buffer
  /** What tells two keys of the same id apart, and nothing else about them. */
  check(id: string): string
}

/** The ring has no key of this id. */
export class KeyMissing extends Error {
  readonly id: string
  constructor(id: string) {
    super(`The key ${id} is not in the key file.`)
    this.id = id
  }
}

const keyBytes = 32

const content = z.strictObject({
  current: z.string(),
  keys: z.record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'expected an id of 1 to 32 letters, digits, dashes'),
    z
      .base64()
      .refine(
        (text) => Buffer.from(text, 'base64').length === keyBytes,
        `expected the base64 of ${keyBytes} bytes`,
      ),
  ),
})

/** Throws when the text is not a key file; what it says tells nothing of the keys. */
export const parseKeyRing = (text: string, file: string): KeyRing => {
  const parsed = content.safeParse(jsonOf(text))
  const found = parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
  if (parsed.success && !Object.hasOwn(parsed.data.keys, parsed.data.current))
    found.push(`current: there is no key ${JSON.stringify(parsed.data.current)} among the keys`)
  if (!parsed.success || found.length > 0)
    throw new Error(
      `${file} is not a key file. Expected {"current": "ID", "keys": {"ID": "base64 of ${keyBytes} bytes"}}. ${found.join('; ')}`,
    )
  return createKeyRing(
    parsed.data.current,
    new Map(Object.entries(parsed.data.keys).map(([id, key]) => [id, Buffer.from(key, 'base64')])),
  )
}

export const createKeyRing = (current: string, keys: ReadonlyMap<string, Uint8Array>): KeyRing => {
  const keyOf = (id: string) => {
    const key = keys.get(id)
    if (key === undefined) throw new KeyMissing(id)
    return key
  }
  const derive = (purpose: string, id = current) =>
    Buffer.from(hkdfSync('sha256', keyOf(id), 'berth', purpose, keyBytes))
  return {
    current,
    ids: [...keys.keys()],
    has: (id) => keys.has(id),
    derive,
    check: (id) => createHmac('sha256', derive('check', id)).update(id).digest('base64url').slice(0, 22),
  }
}

interface KeyPlaces {
  keysFile: string | undefined
  dataDir: string
}

/**
 * Reads the keys: from the file that is configured, else from `keys.json` in the data directory, where it is made (mode 0600)
 * when there is none. Without that file what it sealed can't be opened any more.
 */
export const openKeyRing = async ({ keysFile, dataDir }: KeyPlaces): Promise<KeyRing> => {
  if (keysFile !== undefined) return readKeyRing(keysFile)
  const file = join(dataDir, 'keys.json')
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  if (known !== undefined) {
    await chmod(file, 0o600)
    return parseKeyRing(known, file)
  }
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  await writeFile(draft, newKeyFile(), { mode: 0o600, flush: true })
  try {
    await link(draft, file)
  } catch (error) {
    // Another backend over the same directory was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft)
  }
  return readKeyRing(file)
}

/** A key file with one new key. */
export const newKeyFile = (): string => {
  const id = `k${randomBytes(4).toString('hex')}`
  const file = { current: id, keys: { [id]: randomBytes(keyBytes).toString('base64') } }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

const readKeyRing = async (file: string): Promise<KeyRing> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`The key file ${file} can't be read (${error.code}). Make it readable for Berth's user.`)
  })
  return parseKeyRing(text, file)
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

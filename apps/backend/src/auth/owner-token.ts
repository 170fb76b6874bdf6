import { randomBytes } from 'node:crypto'
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

interface TokenPlaces {
  ownerTokenFile: string | undefined
  dataDir: string
}

/** Guessing a shorter one would be no work. */
const minLength = 32

/**
 * Reads the owner's token: from the file that is configured, else from the data directory, where it is made (mode 0600)
 * when there is none.
 */
export const ownerToken = async ({ ownerTokenFile, dataDir }: TokenPlaces): Promise<string> => {
  if (ownerTokenFile !== undefined) return readToken(ownerTokenFile)
  const file = join(dataDir, 'owner-token')
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  if (known !== undefined) {
    await chmod(file, 0o600)
    if (known.trim().length >= minLength) return known.trim()
    throw new Error(`${file} does not hold a token. Delete it, and a new one is made at the next start.`)
  }
  const token = `brt_owner_${randomBytes(32).toString('base64url')}`
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  await writeFile(draft, `${token}\n`, { mode: 0o600, flush: true })
  try {
    await link(draft, file)
    return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Another backend over the same directory was faster.
    return readToken(file)
  } finally {
    await rm(draft)
  }
}

/** Reads a token from a file that somebody else keeps, such as a mounted Secret. Rejects when it holds none. */
export const readToken = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `The token file ${file} can't be read (${error.code}). Make it readable for Berth's user.`,
    )
  })
  const token = text.trim()
  if (token.length < minLength || /\s/.test(token))
    throw new Error(
      `${file} does not hold a token: expected one line with at least ${minLength} characters. For a new one: openssl rand -hex 32`,
    )
  return token
}

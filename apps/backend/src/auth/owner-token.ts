import { randomBytes } from 'node:crypto'
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Reads the owner's token from the data directory, and makes it (mode 0600) when there is none. */
export const ownerToken = async (dataDir: string): Promise<string> => {
  const file = join(dataDir, 'owner-token')
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  if (known !== undefined) {
    await chmod(file, 0o600)
    if (known.trim().length >= 32) return known.trim()
    throw new Error(`${file} does not hold a token. Delete it, and a new one is made at the next start.`)
  }
  const token = `brt_owner_${randomBytes(32).toString('base64url')}`
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${token}\n`, { mode: 0o600, flush: true })
  await link(draft, file).finally(() => rm(draft))
  return token
}

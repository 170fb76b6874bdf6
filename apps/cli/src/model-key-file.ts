import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The key for the real model, as the backend reads it. */
export interface ModelKey {
  apiKey: string
  baseUrl?: string
}

const pathIn = (dataDir: string) => join(dataDir, 'model-key.json')

export const readModelKey = async (dataDir: string): Promise<ModelKey | undefined> => {
  const text = await readFile(pathIn(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const { apiKey, baseUrl } = JSON.parse(text) as Partial<ModelKey>
  if (typeof apiKey !== 'string')
    throw new Error(`${pathIn(dataDir)} holds no key. Set it again: berth model-key set`)
  return baseUrl === undefined ? { apiKey } : { apiKey, baseUrl }
}

/** Replaces the file as a whole; only the owner can read it, from its first byte on. */
export const writeModelKey = async (dataDir: string, key: ModelKey): Promise<void> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const temporary = `${pathIn(dataDir)}.${process.pid}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(key)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(temporary, 0o600)
  await rename(temporary, pathIn(dataDir))
}

/** True when there was one. */
export const removeModelKey = async (dataDir: string): Promise<boolean> => {
  const existed = (await readModelKey(dataDir).catch(() => undefined)) !== undefined
  await rm(pathIn(dataDir), { force: true })
  return existed
}

/** The last four characters, of keys that are long enough not to be guessed from them. */
export const maskKey = (apiKey: string): string => (apiKey.length >= 16 ? `…${apiKey.slice(-4)}` : '…')

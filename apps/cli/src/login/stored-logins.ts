import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { configDirOf } from './config-dir.ts'

/** How the user signed in at one Berth. */
export type Login =
  /** With a token that somebody made, such as an API key. */
  | { kind: 'token'; token: string }
  /** Through the issuer: an ID token, and what renews it. */
  | {
      kind: 'oidc'
      issuer: string
      clientId: string
      token: string
      refresh?: string
      /** Milliseconds since 1970. */
      expiresAt: number
    }

type Logins = Record<string, Login>

export const loginsFile = (env: NodeJS.ProcessEnv): string => join(configDirOf(env), 'logins.json')

/** The login at a Berth; undefined: none. */
export const readLogin = async (env: NodeJS.ProcessEnv, url: string): Promise<Login | undefined> => {
  const logins = await readLogins(env)
  return Object.hasOwn(logins, url) ? logins[url] : undefined
}

const readLogins = async (env: NodeJS.ProcessEnv): Promise<Logins> => {
  const text = await readFile(loginsFile(env), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (text === undefined) return {}
  try {
    return JSON.parse(text) as Logins
  } catch {
    throw new Error(`${loginsFile(env)} is damaged. Delete it, then sign in again: berth login`)
  }
}

/**
 * Changes the login at a Berth, alone: `change` sees what stands there now. Undefined removes it. Another command that changes
 * one waits.
 */
export const changeLogin = async (
  env: NodeJS.ProcessEnv,
  url: string,
  change: (login: Login | undefined) => Promise<Login | undefined>,
): Promise<Login | undefined> => {
  await mkdir(configDirOf(env), { recursive: true, mode: 0o700 })
  return locked(`${loginsFile(env)}.lock`, async () => {
    const { [url]: before, ...others } = await readLogins(env)
    const after = await change(before)
    if (after !== before)
      await write(loginsFile(env), after === undefined ? others : { ...others, [url]: after })
    return after
  })
}

/** Replaces the file as a whole; only its owner can read it, from its first byte on. */
const write = async (path: string, logins: Logins): Promise<void> => {
  const draft = `${path}.${process.pid}.tmp`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(logins, undefined, 1)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(draft, 0o600)
  await rename(draft, path)
}

/** A command that was killed leaves its lock behind; no living one holds it for so long. */
const staleMs = 60_000

const locked = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  for (;;) {
    const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      return undefined
    })
    if (file !== undefined) {
      await file.close()
      break
    }
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (age > staleMs) await rm(path, { force: true })
    await sleep(50)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient, type RetryOptions } from '@berth/client'
import { dataDirOf } from './data-dir.ts'
import { loginToken } from './login/current-token.ts'
import { isLoopbackUrl } from './login/issuer-client.ts'
import { loginsFile, readLogin } from './login/stored-logins.ts'

export const defaultPort = 7420

/** Where the backend is: `BERTH_URL`, else `BERTH_HOST` and `BERTH_PORT`, as `berth serve` uses them. */
export const urlOf = (env: NodeJS.ProcessEnv): string => {
  if (env.BERTH_URL !== undefined && env.BERTH_URL !== '') return env.BERTH_URL.replace(/\/+$/, '')
  const host = env.BERTH_HOST || '127.0.0.1'
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${env.BERTH_PORT || defaultPort}`
}

/** `BERTH_TOKEN`, else that of `berth login` there, else the owner token of a backend that is this user's own. */
export const tokenOf = async (env: NodeJS.ProcessEnv): Promise<string | undefined> =>
  given(env) ?? (await loginToken(env, urlOf(env))) ?? ownerToken(env)?.token

/** Where the token comes from, for a person; undefined when there is none. */
export const tokenSource = async (env: NodeJS.ProcessEnv): Promise<TokenSource | undefined> => {
  if (given(env) !== undefined) return { kind: 'given', name: 'BERTH_TOKEN' }
  // A file that can't be read is told of where its token is needed (`tokenOf`).
  const login = await readLogin(env, urlOf(env)).catch(() => undefined)
  if (login !== undefined) return { kind: 'login', name: loginsFile(env) }
  const owner = ownerToken(env)
  return owner && { kind: 'given', name: owner.file }
}

export interface TokenSource {
  /** `login`: it came by `berth login`. */
  kind: 'given' | 'login'
  name: string
}

const given = (env: NodeJS.ProcessEnv): string | undefined => env.BERTH_TOKEN || undefined

/** It opens everything, so it goes to this machine only, unless the data directory was named for the purpose. */
const ownerToken = (env: NodeJS.ProcessEnv): { token: string; file: string } | undefined => {
  if (!env.BERTH_DATA_DIR && !isLoopbackUrl(urlOf(env))) return undefined
  const file = join(dataDirOf(env), 'owner-token')
  try {
    return { token: readFileSync(file, 'utf8').trim(), file }
  } catch {
    return undefined
  }
}

/** A client for the commands: few retries, so that a backend that doesn't run is told at once. */
export const connect = (env: NodeJS.ProcessEnv, retry: RetryOptions = { attempts: 3, baseMs: 100 }): Client =>
  createClient({
    baseUrl: urlOf(env),
    token: () => tokenOf(env),
    headers: { 'user-agent': 'berth-cli' },
    retry,
  })

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient, type RetryOptions } from '@berth/client'
import { dataDirOf } from './data-dir.ts'

export const defaultPort = 7420

/** Where the backend is: `BERTH_URL`, else `BERTH_HOST` and `BERTH_PORT`, as `berth serve` uses them. */
export const urlOf = (env: NodeJS.ProcessEnv): string => {
  if (env.BERTH_URL !== undefined && env.BERTH_URL !== '') return env.BERTH_URL.replace(/\/+$/, '')
  const host = env.BERTH_HOST || '127.0.0.1'
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${env.BERTH_PORT || defaultPort}`
}

/** `BERTH_TOKEN`, else the owner token that the backend left in the data directory. */
export const tokenOf = (env: NodeJS.ProcessEnv): string | undefined => {
  if (env.BERTH_TOKEN !== undefined && env.BERTH_TOKEN !== '') return env.BERTH_TOKEN
  try {
    return readFileSync(join(dataDirOf(env), 'owner-token'), 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Where the token comes from, for a person; undefined when there is none. */
export const tokenSource = (env: NodeJS.ProcessEnv): string | undefined => {
  if (env.BERTH_TOKEN !== undefined && env.BERTH_TOKEN !== '') return 'BERTH_TOKEN'
  return tokenOf(env) === undefined ? undefined : join(dataDirOf(env), 'owner-token')
}

/** A client for the commands: few retries, so that a backend that doesn't run is told at once. */
export const connect = (env: NodeJS.ProcessEnv, retry: RetryOptions = { attempts: 3, baseMs: 100 }): Client =>
  createClient({
    baseUrl: urlOf(env),
    token: () => tokenOf(env),
    headers: { 'user-agent': 'berth-cli' },
    retry,
  })

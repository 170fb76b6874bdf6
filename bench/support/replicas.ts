import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@berth/testing'

const program = fileURLToPath(new URL('replica-process.ts', import.meta.url))

export interface BenchReplica {
  url: string
  runnerUrl: string
}

export interface Replicas {
  all: BenchReplica[]
  headers: { authorization: string }
  /** The tokens that runners were given, by session. */
  tokens: () => Promise<Record<string, string>>
}

/** Runs so many backends over one PostgreSQL, each in a process of its own, while `use` works with them. */
export const withReplicas = async <T>(count: number, use: (replicas: Replicas) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'))
  const postgres = await startPostgres({ durable: true })
  const url = await postgres.createDatabase()
  const children = Array.from({ length: count }, () => fork(program, [directory, url]))
  try {
    const started = await Promise.all(children.map((child) => once(child, 'message')))
    const all = started.map(([message]) => message as BenchReplica)
    return await use({
      all,
      headers: { authorization: 'Bearer bench' },
      tokens: () => tokensIn(join(directory, 'runners')),
    })
  } finally {
    const ends = children.map((child) => once(child, 'exit'))
    for (const child of children) child.disconnect()
    await Promise.all(ends)
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

const tokensIn = async (directory: string): Promise<Record<string, string>> => {
  const names = await readdir(directory).catch(() => [])
  const entries = names.map(async (name) => {
    const text = await readFile(join(directory, name), 'utf8')
    return text === '' ? [] : [[name, JSON.parse(text).token as string] as const]
  })
  return Object.fromEntries((await Promise.all(entries)).flat())
}

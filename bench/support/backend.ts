import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('backend-process.ts', import.meta.url))

export interface BenchBackend {
  url: string
  runnerUrl: string
  token: string
  /** The stored sessions, newest last. */
  sessions: string[]
  headers: { authorization: string }
  /** The tokens that runners were given, by session. */
  tokens: () => Promise<Record<string, string>>
  pid: number
  /** Resident memory in bytes, after a collection. */
  rss: () => Promise<number>
  /** There is room for all sessions from now on. */
  makeRoom: () => Promise<void>
  /** The sessions that got room since then, in order, the time until the last one did, and all runners so far. */
  launched: () => Promise<{ sessions: string[]; ms: number; started: number }>
}

/** What the process tells at its start. */
type Started = Pick<BenchBackend, 'url' | 'runnerUrl' | 'token' | 'sessions'>

/** Runs a backend in a process of its own while `use` works with it. */
export const withBackend = async <T>(
  options: { sessions?: number; upstream?: string; live?: number; gitHosts?: string },
  use: (backend: BenchBackend) => Promise<T>,
): Promise<T> => {
  const child = fork(program, {
    execArgv: ['--expose-gc'],
    env: {
      ...process.env,
      BENCH_SESSIONS: String(options.sessions ?? 0),
      ...(options.live === undefined ? {} : { BENCH_LIVE: String(options.live) }),
      ...(options.gitHosts === undefined ? {} : { BENCH_GIT_HOSTS: options.gitHosts }),
      ...(options.upstream === undefined ? {} : { BENCH_UPSTREAM: options.upstream }),
    },
  })
  const ask = async (question: string) => {
    const answer = once(child, 'message')
    child.send(question)
    return (await answer)[0]
  }
  try {
    const [started] = (await once(child, 'message')) as [Started]
    return await use({
      ...started,
      pid: child.pid ?? 0,
      headers: { authorization: `Bearer ${started.token}` },
      tokens: () => ask('tokens') as Promise<Record<string, string>>,
      rss: () => ask('rss') as Promise<number>,
      makeRoom: async () => void (await ask('room')),
      launched: () => ask('launched') as ReturnType<BenchBackend['launched']>,
    })
  } finally {
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
  }
}

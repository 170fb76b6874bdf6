import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GitHttpServer, startGitHttpServer } from '@berth/testing'
import { commitFiles, createRepository, git } from '../checkpoints/fixtures/work.ts'
import { createTestBackend, type TestBackend } from '../test-backend.ts'
import type { GitProxyLimits } from './git-limits.ts'

export interface Ended {
  ok: boolean
  /** What it printed, on both ways. */
  said: string
}

/** Runs git in a directory as an agent does: every URL goes through the proxy, with the runner's token. */
export const gitThrough = (
  { runnerUrl }: Pick<TestBackend, 'runnerUrl'>,
  token: string,
  [directory, ...args]: readonly [string, ...string[]],
): Promise<Ended> => {
  const config = [
    ...['https', 'http'].map((scheme) => [
      `url.${runnerUrl}/runner/git/${scheme}/.insteadOf`,
      `${scheme}://`,
    ]),
    [`http.${runnerUrl}/.extraHeader`, `Authorization: Bearer ${token}`],
    ['user.name', 'Ada'],
    ['user.email', 'ada@example.com'],
  ]
  const pairs = config.flatMap(([key = '', value = ''], i) => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ])
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(pairs),
  }
  return new Promise((resolve) =>
    execFile('git', ['-C', directory, ...args], { env }, (error, stdout, stderr) =>
      resolve({ ok: error === null, said: `${stdout}${stderr}` }),
    ),
  )
}

/** A git server with one repository, and a session that may read from it. */
export interface GitSession {
  root: string
  server: GitHttpServer
  backend: TestBackend
  session: string
  token: string
  /** Runs git with every URL going through the proxy. */
  through(directory: string, ...args: string[]): Promise<Ended>
  /** Clones the repository through the proxy into a new directory. */
  clone(...args: string[]): Promise<Ended & { directory: string }>
  close(): Promise<void>
}

export interface GitSessionOptions {
  /** The repository is `NAME.git` at the server, with a commit of each of these. */
  name: string
  commits: Record<string, string>[]
  route: Parameters<typeof startGitHttpServer>[0]['route']
  /** Names at the server of what the session works on. */
  repositories: string[]
  limits?: Partial<GitProxyLimits>
}

export const startGitSession = async (options: GitSessionOptions): Promise<GitSession> => {
  const { name, commits, route, repositories, limits } = options
  const root = await mkdtemp(join(tmpdir(), 'berth-git-session-'))
  const source = createRepository(join(root, 'source'))
  for (const [index, files] of commits.entries()) commitFiles(source, files, `Change ${index + 1}`)
  git(root, 'clone', '--quiet', '--bare', source, `${name}.git`)
  const server = await startGitHttpServer({ root, route })
  const backend = await createTestBackend({ git: { hosts: [new URL(server.url).host], limits } })
  const urls = repositories.map((repository) => ({ url: `${server.url}/${repository}` }))
  const { session, spec } = await backend.idleSession({ repositories: urls })
  const { token } = spec
  // On a slow machine a file takes longer than a runner may be silent.
  const heart = setInterval(() => backend.callRunner(token, '/runner/heartbeat', { body: {} }), 3000)
  let clones = 0
  const through: GitSession['through'] = (directory, ...args) =>
    gitThrough(backend, token, [directory, ...args])
  return {
    ...{ root, server, backend, session, token, through },
    clone: async (...args) => {
      const place = `clone-${++clones}`
      const ended = await through(root, 'clone', '--quiet', ...args, `${server.url}/${name}.git`, place)
      return { ...ended, directory: join(root, place) }
    },
    close: async () => {
      clearInterval(heart)
      await backend.dispose()
      await server.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

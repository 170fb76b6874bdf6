import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startGitHttpServer } from '../../packages/testing/src/git-http-server.ts'
import { type Figure, percentile } from '../figure.ts'
import { type BenchBackend, withBackend } from '../support/backend.ts'
import { byTurns, ratioOf } from '../support/by-turns.ts'
import { keepAlive } from '../support/sessions.ts'

const run = promisify(execFile)
/** Pairs of a clone through the proxy and a direct one. */
const rounds = { small: 61, large: 9 }
const megabytes = 200

const environment = (pairs: readonly (readonly [string, string])[]) => ({
  PATH: process.env.PATH,
  HOME: tmpdir(),
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_COUNT: String(pairs.length),
  ...Object.fromEntries(
    pairs.flatMap(([key, value], i) => [
      [`GIT_CONFIG_KEY_${i}`, key],
      [`GIT_CONFIG_VALUE_${i}`, value],
    ]),
  ),
})

/** A bare repository of files of a size, with one commit for each hundred. */
const makeRepository = async (root: string, { name, files, bytes }: Shape): Promise<void> => {
  const work = join(root, `${name}-work`)
  const git = (...args: string[]) =>
    run('git', ['-C', work, '-c', 'user.name=Bench', '-c', 'user.email=bench@example.com', ...args])
  await mkdir(work)
  await git('init', '--quiet')
  await git('config', 'core.compression', '0')
  for (let i = 0; i < files; i++) {
    await writeFile(join(work, `file-${i}`), randomBytes(bytes))
    if (i % 100 !== 99 && i !== files - 1) continue
    await git('add', '--all')
    await git('commit', '--quiet', '-m', `Up to ${i}`)
  }
  const bare = join(root, `${name}.git`)
  await run('git', ['clone', '--quiet', '--bare', work, bare])
  // As a git server has it: what is sent is packed already.
  await run('git', ['-C', bare, 'repack', '-adq', '--window=0'])
  await rm(work, { recursive: true })
}

const token = 'glpat-4711-Bench-0815-x9'
const authorization = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`

/** Gives the project a credential for the git server, which only lets it in with that. */
const addCredential = async (backend: BenchBackend, host: string): Promise<void> => {
  const headers = { ...backend.headers, 'content-type': 'application/json' }
  const project = `${backend.url}/api/projects/default`
  const secret = JSON.stringify({ kind: 'git-host', value: token })
  const stored = await fetch(`${project}/secrets/git`, { method: 'PUT', headers, body: secret })
  const { version } = (await (await fetch(`${project}/settings`, { headers })).json()) as { version: number }
  const body = JSON.stringify({ gitCredentials: [{ kind: 'token', host, secret: 'git' }] })
  const changed = await fetch(`${project}/settings`, {
    method: 'PATCH',
    headers: { ...headers, 'if-match': `"${version}"` },
    body,
  })
  if (!stored.ok || !changed.ok)
    throw new Error(`no credential: ${await stored.text()}, ${await changed.text()}`)
}

interface Shape {
  name: string
  files: number
  bytes: number
}

const tokenOf = async (backend: BenchBackend): Promise<string> => {
  const headers = { ...backend.headers, 'content-type': 'application/json' }
  await fetch(`${backend.url}/api/projects/default/sessions`, { method: 'POST', headers, body: '{}' })
  for (;;) {
    const [token] = Object.values(await backend.tokens())
    if (token !== undefined) return token
  }
}

const residentMegabytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

/** The most memory that a process has while something is done. */
const peakWhile = async (pid: number, task: Promise<unknown>): Promise<number> => {
  let peak = 0
  const timer = setInterval(async () => {
    peak = Math.max(peak, await residentMegabytes(pid))
  }, 20)
  await task
  clearInterval(timer)
  return peak
}

/** Issue: a clone through the git proxy takes at most 1.2 times a direct one; a large pack does not grow the backend. */
export const gitProxy: Figure = {
  name: 'git-proxy',
  about: `a bare clone of a private repository of 2,000 small files and of ${megabytes} MB: through the proxy with the project's credential, and direct, by turns`,
  run: async () => {
    const root = await mkdtemp(join(tmpdir(), 'berth-bench-git-'))
    await makeRepository(root, { name: 'small', files: 2000, bytes: 4 * 1024 })
    await makeRepository(root, { name: 'large', files: megabytes, bytes: 1024 * 1024 })
    const server = await startGitHttpServer({
      root,
      route: async ({ headers }, response, path) => {
        if (headers.authorization === authorization) return path
        response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
        return undefined
      },
    })
    try {
      return await withBackend({ gitHosts: new URL(server.url).host }, async (backend) => {
        await addCredential(backend, new URL(server.url).host)
        const runner = await tokenOf(backend)
        const proxy = environment([
          [`url.${backend.runnerUrl}/runner/git/http/.insteadOf`, 'http://'],
          [`http.${backend.runnerUrl}/.extraHeader`, `Authorization: Bearer ${runner}`],
        ])
        const direct = environment([[`http.${server.url}/.extraHeader`, `Authorization: ${authorization}`]])
        const stop = await keepAlive(backend, [runner])
        const clone = async (name: string, env: NodeJS.ProcessEnv) => {
          const target = join(root, 'clone')
          const began = performance.now()
          await run('git', ['clone', '--quiet', '--bare', `${server.url}/${name}.git`, target], { env })
          const ms = performance.now() - began
          await rm(target, { recursive: true })
          return ms
        }
        const both = (name: keyof typeof rounds) =>
          byTurns(
            { rounds: rounds[name] },
            { direct: () => clone(name, direct), through: () => clone(name, proxy) },
          )
        const small = await both('small')
        const before = await residentMegabytes(backend.pid)
        const peak = await peakWhile(backend.pid, clone('large', proxy))
        const large = await both('large')
        stop()
        return [
          { what: 'small files, direct p50', value: percentile(small.direct, 0.5), unit: 'ms' as const },
          {
            what: 'small files, through the proxy',
            ...ratioOf(small.through, small.direct),
            goal: { atMost: 1.2 },
          },
          { what: `${megabytes} MB, direct p50`, value: percentile(large.direct, 0.5), unit: 'ms' as const },
          {
            what: `${megabytes} MB, through the proxy`,
            ...ratioOf(large.through, large.direct),
            goal: { atMost: 1.2 },
          },
          {
            what: `backend, more memory while the first ${megabytes} MB pass`,
            value: peak - before,
            unit: 'MB' as const,
            goal: { atMost: 64 },
          },
        ]
      })
    } finally {
      await server.close()
      await rm(root, { recursive: true, force: true })
    }
  },
}

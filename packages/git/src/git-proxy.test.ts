import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gitProblem } from './git-problem.ts'
import { proxyAbsence } from './git-proxy.ts'
import { type GitSurroundings, runTrusted } from './trusted.ts'

const url = 'https://user@git.example/lib.git'
const args = ['ls-remote', '--', url]

describe('git through the proxy', () => {
  let server: Server
  let answer: RequestListener
  let seen: string[]
  let surroundings: GitSurroundings
  beforeEach(async () => {
    seen = []
    server = createServer((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`)
      answer(request, response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const proxy = {
      url: `http://127.0.0.1:${port}/runner/git`,
      token: 'secret',
      delaysMs: { first: 1, longest: 5 },
    }
    const inherited = { https_proxy: 'http://127.0.0.1:1', SSH_AUTH_SOCK: '/agent' }
    surroundings = { path: process.env.PATH ?? '', home: '/nonexistent', inherited, proxy }
  })
  afterEach(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const refuse: RequestListener = (_request, response) =>
    response.writeHead(403, { 'content-type': 'text/plain' }).end('berth: not yours.\n')

  it('asks it for every address, with the token in a header, and prints the address that people know', async () => {
    answer = refuse
    const result = await runTrusted(surroundings, { args, timeoutMs: 30_000 })
    expect(seen).toEqual([
      '/runner/git/https/user@git.example/lib.git/info/refs?service=git-upload-pack Bearer secret',
    ])
    expect(result.stderr).toContain(`unable to access '${url}/'`)
    expect(result.stderr).not.toContain('127.0.0.1')
    expect(gitProblem(result)).toBe('not yours.')
  })

  it('asks again when it was away, or went away in the middle', async () => {
    answer = (request, response) => {
      if (seen.length === 1) return request.socket.destroy()
      if (seen.length === 2)
        return response.writeHead(503, { 'content-type': 'text/plain' }).end('berth: stopping\n')
      if (seen.length > 3) return refuse(request, response)
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
      response.write('001e# service=git-upload-pack\n', () => request.socket.destroy())
    }
    const result = await runTrusted(surroundings, { args, timeoutMs: 30_000 })
    expect(gitProblem(result)).toBe('not yours.')
    expect(seen).toHaveLength(4)
  })

  it('gives up when it stays away', async () => {
    answer = (request) => request.socket.destroy()
    const proxy = { url: 'http://127.0.0.1:1/runner/git', token: 'secret', patienceMs: 0 }
    const result = await runTrusted({ ...surroundings, proxy }, { args, timeoutMs: 30_000 })
    expect(result.ok).toBe(false)
    expect((await runTrusted(surroundings, { args, timeoutMs: 30_000 })).ok).toBe(false)
    expect(seen).toHaveLength(6)
  })

  it('has nothing of the operator’s, and no other way', async () => {
    const { stdout } = await runTrusted(surroundings, {
      args: ['-c', 'alias.e=!env', 'e'],
      timeoutMs: 30_000,
    })
    expect(stdout).not.toMatch(/https_proxy|SSH_AUTH_SOCK|^HOME=/m)
    const ssh = await runTrusted(surroundings, {
      args: ['ls-remote', 'ssh://git@git.example/lib'],
      timeoutMs: 30_000,
    })
    expect(ssh.stderr).toContain("transport 'ssh' not allowed")
    expect(seen).toEqual([])
  })
})

it.each([
  ['fatal: unable to access: Failed to connect to berth port 7421 after 0 ms: Couldn’t connect', 'away'],
  ['fatal: unable to access: Could not resolve host: berth-runners', 'away'],
  ['fatal: unable to access: The requested URL returned error: 503', 'away'],
  [
    'error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF',
    'cut',
  ],
  ['fatal: unable to access: Empty reply from server', 'cut'],
  ['remote: berth: no.\nfatal: unable to access: The requested URL returned error: 403', undefined],
  ['fatal: remote error: berth: 32 requests of git are under way', undefined],
  ["fatal: couldn't find remote ref main", undefined],
])('what git says of a proxy: %j', (stderr, absence) => expect(proxyAbsence(stderr)).toBe(absence))

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { sessionBranch } from '@berth/contract'
import { expect, it } from 'vitest'
import { eventually, type TestBackend, withBackend } from '../../test-backend.ts'
import { savedSession } from '../fixtures/saved-session.ts'
import { commitFiles, createRepository, git, writeFiles } from '../fixtures/work.ts'

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Serves the repositories below a directory by the git protocol, also for pushes. */
const withDaemon = async (directory: string, task: (url: string) => Promise<void>) => {
  const port = await freePort()
  const args = ['daemon', '--reuseaddr', '--export-all', '--enable=receive-pack', '--listen=127.0.0.1']
  const daemon = spawn('git', [...args, `--port=${port}`, `--base-path=${directory}`, directory], {
    env: { PATH: process.env.PATH, HOME: directory },
    stdio: 'ignore',
    // `git daemon` starts another process, which has to end too.
    detached: true,
  })
  const ended = once(daemon, 'exit')
  try {
    const url = `git://127.0.0.1:${port}`
    await eventually('the daemon', async () => {
      const probe = spawn('git', ['ls-remote', `${url}/origin.git`], { stdio: 'ignore' })
      return (await once(probe, 'exit'))[0] === 0
    })
    await task(url)
  } finally {
    if (daemon.pid !== undefined) process.kill(-daemon.pid, 'SIGKILL')
    await ended
  }
}

const push = async (backend: TestBackend, session: string, body: object = {}) =>
  (await backend.call<Record<string, unknown>>(`/api/projects/default/sessions/${session}/push`, { body }))
    .body

it(
  'pushes to a server, refuses what is no fast-forward, and says what the server says',
  () =>
    withBackend(async (backend) => {
      const served = join(backend.directory, 'served')
      mkdirSync(served)
      const source = createRepository(join(served, 'source'))
      git(served, 'clone', '--quiet', '--bare', source, 'origin.git')
      const origin = join(served, 'origin.git')
      let gone = ''
      await withDaemon(served, async (url) => {
        const saved = await savedSession(backend, { origin: `${url}/origin.git` })
        const { session, clone } = saved
        gone = session
        const branch = sessionBranch(session)
        writeFiles(clone, { x: '1' })
        await saved.turn()
        const first = await push(backend, session)
        expect(first).toMatchObject({ branch, unchanged: false, commit: git(origin, 'rev-parse', branch) })
        expect(await push(backend, session)).toMatchObject({ unchanged: true })
        writeFiles(clone, { x: '2' })
        await saved.turn()
        expect(await push(backend, session)).toMatchObject({ previous: first.commit, forced: false })
        commitFiles(clone, { y: '1' }, 'Add y')
        await saved.turn()
        expect(await push(backend, session, { branch: 'main' })).toMatchObject({ unchanged: false })
        git(clone, 'commit', '--quiet', '--amend', '-m', 'Add y otherwise')
        await saved.turn()
        expect(await push(backend, session, { branch: 'main' })).toMatchObject({ code: 'push_rejected' })
        expect(await push(backend, session, { branch: 'main', force: true })).toMatchObject({
          code: 'push_rejected',
        })
        const moved = commitFiles(source, { z: '1' }, 'Elsewhere')
        git(source, 'push', '--quiet', origin, `+${moved}:refs/heads/${branch}`)
        expect(await push(backend, session)).toMatchObject({ code: 'push_rejected' })
        expect(await push(backend, session, { force: true })).toMatchObject({ forced: true, previous: moved })
        expect(git(origin, 'for-each-ref', '--format=%(refname)')).toBe(
          `refs/heads/${branch}\nrefs/heads/main`,
        )

        writeFileSync(join(origin, 'hooks', 'update'), '#!/bin/sh\necho "Not on a Friday" >&2\nexit 1\n', {
          mode: 0o755,
        })
        const hooked = await push(backend, session, { branch: 'hooked' })
        expect(hooked).toMatchObject({
          code: 'push_rejected',
          detail: expect.stringContaining('refuses the branch'),
        })
        rmSync(origin, { recursive: true })
        expect(await push(backend, session)).toMatchObject({ code: 'push_failed' })
      })
      expect(await push(backend, gone)).toMatchObject({
        code: 'push_failed',
        detail: expect.stringContaining('can’t be reached'),
      })
    }),
  120_000,
)

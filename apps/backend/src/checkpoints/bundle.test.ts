import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sessionBranch } from '@berth/contract'
import { expect, it } from 'vitest'
import { eventually, ownerToken, type TestBackend, withBackend } from '../test-backend.ts'
import { savedSession } from './fixtures/saved-session.ts'
import { commitFiles, git, writeFiles } from './fixtures/work.ts'

const ask = (backend: TestBackend, session: string, query = '') =>
  fetch(`${backend.url}/api/projects/default/sessions/${session}/bundle${query}`, {
    headers: { authorization: `Bearer ${ownerToken}` },
  })

it(
  'gives a bundle of the session branch that git verifies, fetches and clones, also of a stopped session',
  () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend)
      const { session, origin, clone, base } = saved
      const branch = sessionBranch(session)
      expect(await (await ask(backend, session)).json()).toMatchObject({ code: 'no_checkpoint' })
      await saved.turn()
      expect(await (await ask(backend, session)).json()).toMatchObject({ code: 'changes_not_found' })
      const own = commitFiles(clone, { 'b.txt': 'b\n' }, 'Add b')
      writeFiles(clone, { 'a.txt': 'changed\n' })
      await saved.turn()
      await saved.stop()
      const get = async (name: string, query: string) => {
        const response = await ask(backend, session, query)
        expect(response.headers.get('content-disposition')).toBe(
          `attachment; filename="lib-${session}.bundle"`,
        )
        const file = join(backend.directory, name)
        writeFileSync(file, Buffer.from(await response.arrayBuffer()))
        return file
      }
      const thin = await get('thin.bundle', '')
      expect(git(origin, 'bundle', 'verify', thin)).toContain(base)
      git(origin, 'fetch', '--quiet', thin, `${branch}:taken`)
      expect(git(origin, 'log', '--format=%s', 'main..taken')).toBe('The work\nAdd b')
      const full = await get('full.bundle', '?history=full&uncommitted=leave')
      git(backend.directory, 'clone', '--quiet', '--branch', branch, full, 'cloned')
      expect(git(join(backend.directory, 'cloned'), 'rev-parse', 'HEAD')).toBe(own)
      await eventually(
        'nothing but the checkpoints',
        () => readdirSync(join(backend.directory, 'checkpoints')).length === 2,
      )
    }),
  60_000,
)

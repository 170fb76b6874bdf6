import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Event, type PushResult, sessionBranch } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { type CallOptions, type TestBackend, withBackend } from '../../test-backend.ts'
import { type SavedSession, savedSession } from '../fixtures/saved-session.ts'
import { commitFiles, createRepository, git, writeFiles } from '../fixtures/work.ts'

const bare = (backend: TestBackend, files?: Record<string, string>): string => {
  const place = join(backend.directory, 'repositories', 'bare')
  const source = createRepository(join(place, 'source'), files)
  git(place, 'clone', '--quiet', '--bare', source, join(place, 'origin.git'))
  return join(place, 'origin.git')
}

const push = (backend: TestBackend, session: string, body: object = {}, options: CallOptions = {}) =>
  backend.call<PushResult & { code: string; detail: string }>(
    `/api/projects/default/sessions/${session}/push`,
    {
      body,
      ...options,
    },
  )

const pushes = async (backend: TestBackend, session: string): Promise<Event[]> => {
  const lines = await backend.parts.store.eventsOfType(session, { type: 'repository.pushed', limit: 100 })
  return lines.map(({ json }) => JSON.parse(json))
}

const leftovers = (backend: TestBackend) => readdirSync(join(backend.directory, 'checkpoints')).length

const onBare = async (backend: TestBackend): Promise<SavedSession> =>
  savedSession(backend, { origin: bare(backend) })

describe('a push', { timeout: 90_000 }, () => {
  it('brings commits and uncommitted work of a stopped session to a bare origin, once', () =>
    withBackend(async (backend) => {
      const saved = await onBare(backend)
      const { session, origin, clone } = saved
      const own = commitFiles(clone, { 'b.txt': 'b\n' }, 'Add b')
      writeFiles(clone, { 'a.txt': 'changed\n', 'new/c.txt': 'c\n' })
      git(clone, 'tag', 'private')
      const turn = await saved.turn()
      await saved.stop()
      const { status, body } = await push(backend, session)
      const branch = sessionBranch(session)
      expect([status, body]).toEqual([
        200,
        {
          repository: 'lib',
          url: origin,
          branch,
          commit: git(origin, 'rev-parse', branch),
          unchanged: false,
          forced: false,
          committed: true,
          checkpoint: 1,
          turn,
        },
      ])
      expect(git(origin, 'log', '-2', '--format=%an <%ae> %cn %s', branch)).toBe(
        'Test <owner@users.berth.invalid> Test The work\nAda <ada@example.com> Ada Add b',
      )
      expect(git(origin, 'rev-parse', `${branch}^`)).toBe(own)
      expect(git(origin, 'show', `${branch}:new/c.txt`)).toBe('c')
      expect(git(origin, 'for-each-ref', '--format=%(refname)')).toBe(`refs/heads/${branch}\nrefs/heads/main`)
      git(origin, 'fsck', '--strict')

      const again = await push(backend, session)
      expect(again.body).toMatchObject({ unchanged: true, commit: body.commit })
      expect(await pushes(backend, session)).toMatchObject([
        { actor: { kind: 'user', id: 'owner' }, data: { branch, commit: body.commit, checkpoint: 1 } },
      ])
      expect((await backend.summary(session)).repositories).toMatchObject([
        { pushed: { branch, commit: body.commit } },
      ])
      const left = await push(backend, session, { uncommitted: 'leave', branch: 'left', message: 'unused' })
      expect(left.body).toMatchObject({ commit: own, committed: false, branch: 'left' })
      expect(leftovers(backend)).toBe(1)
    }))

  it('is told again when somebody has moved the branch back since', () =>
    withBackend(async (backend) => {
      const saved = await onBare(backend)
      const { session, origin, clone, base } = saved
      commitFiles(clone, { 'b.txt': 'b\n' }, 'Add b')
      await saved.turn()
      const first = await push(backend, session)
      git(origin, 'update-ref', `refs/heads/${sessionBranch(session)}`, base)
      const again = await push(backend, session)
      expect(again.body).toMatchObject({ unchanged: false, commit: first.body.commit, previous: base })
      expect((await push(backend, session)).body).toMatchObject({ unchanged: true })
      expect(await pushes(backend, session)).toHaveLength(2)
    }))

  it('of a live session says as of which turn it is; without a checkpoint it is refused', () =>
    withBackend(async (backend) => {
      const saved = await onBare(backend)
      expect((await push(backend, saved.session)).body).toMatchObject({ code: 'no_checkpoint' })
      writeFiles(saved.clone, { x: '1' })
      const turn = await saved.turn()
      await backend.call(`/api/projects/default/sessions/${saved.session}/prompts`, {
        body: { content: 'More' },
      })
      const running = (await backend.summary(saved.session)).turn?.turn
      expect((await push(backend, saved.session)).body).toMatchObject({ turn, running, checkpoint: 1 })
    }))

  it('that is no fast-forward is refused unless forced, and never forced on a precious branch', () =>
    withBackend(async (backend) => {
      const saved = await onBare(backend)
      const { session, origin, clone } = saved
      commitFiles(clone, { 'b.txt': 'b\n' }, 'Add b')
      await saved.turn()
      expect((await push(backend, session, { branch: 'main' })).body).toMatchObject({ unchanged: false })
      const first = (await push(backend, session)).body.commit
      git(clone, 'commit', '--quiet', '--amend', '-m', 'Add b otherwise')
      await saved.turn()
      for (const branch of ['main', undefined]) {
        const refused = await push(backend, session, { branch })
        expect([refused.status, refused.body.code]).toEqual([409, 'push_rejected'])
        expect(refused.body.detail).toContain('has commits that this session lacks')
      }
      const precious = await push(backend, session, { branch: 'main', force: true })
      expect(precious.body).toMatchObject({
        code: 'push_rejected',
        detail: expect.stringContaining('never given up'),
      })
      const forced = await push(backend, session, { force: true })
      expect(forced.body).toMatchObject({ forced: true, previous: first, unchanged: false })
      expect(git(origin, 'rev-parse', sessionBranch(session))).toBe(forced.body.commit)
      expect(git(origin, 'rev-parse', 'main')).toBe(first)
      git(origin, 'config', 'receive.denyNonFastForwards', 'true')
      git(clone, 'commit', '--quiet', '--amend', '-m', 'Once more')
      await saved.turn()
      expect((await push(backend, session, { force: true })).body.detail).toContain('denyNonFastForwards')
      const unknown = commitFiles(join(origin, '../source'), { z: 'z' }, 'Elsewhere')
      git(join(origin, '../source'), 'push', '--quiet', origin, `${unknown}:refs/heads/other`)
      expect((await push(backend, session, { branch: 'other' })).body.code).toBe('push_rejected')
    }))

  it.each(['bare', 'with files'])('goes on from what an earlier push made of uncommitted work: %s', (kind) =>
    withBackend(async (backend) => {
      const saved = kind === 'bare' ? await onBare(backend) : await savedSession(backend)
      const { session, origin, clone } = saved
      const branch = sessionBranch(session)
      const log = () => git(origin, 'log', '--format=%s', '--topo-order', branch).split('\n')
      writeFiles(clone, { x: '1' })
      await saved.turn()
      const first = (await push(backend, session)).body
      expect(first).toMatchObject({ unchanged: false })
      writeFiles(clone, { x: '2' })
      await saved.turn()
      const second = (await push(backend, session, { message: 'Second' })).body
      expect(second).toMatchObject({ previous: first.commit, forced: false, unchanged: false })
      expect(log()).toEqual(['Second', 'The work', 'First'])
      expect((await push(backend, session, { message: 'Second' })).body).toMatchObject({ unchanged: true })
      commitFiles(clone, { x: '2' }, 'Two at last')
      await saved.turn()
      const third = (await push(backend, session, { message: 'Third' })).body
      expect(third).toMatchObject({ previous: second.commit, forced: false })
      expect(git(origin, 'rev-parse', `${branch}^1`)).toBe(git(clone, 'rev-parse', 'HEAD'))
      expect(git(origin, 'rev-parse', `${branch}^{tree}`)).toBe(git(clone, 'rev-parse', 'HEAD^{tree}'))
      git(clone, 'commit', '--quiet', '--amend', '-m', 'Two otherwise')
      await saved.turn()
      expect((await push(backend, session)).body).toMatchObject({ code: 'push_rejected' })
    }),
  )

  it('to a branch that is checked out at the origin is refused; another one of that repository is moved', () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend)
      const { session, origin, clone } = saved
      commitFiles(clone, { 'b.txt': 'b\n' }, 'Add b')
      await saved.turn()
      git(origin, 'worktree', 'add', '--quiet', '-b', 'linked', join(origin, '../linked'))
      for (const branch of ['main', 'linked'])
        expect((await push(backend, session, { branch })).body).toMatchObject({
          code: 'push_rejected',
          detail: expect.stringContaining('is checked out'),
        })
      expect((await push(backend, session)).status).toBe(200)
      expect(git(origin, 'show', `${sessionBranch(session)}:b.txt`)).toBe('b')
      expect(git(origin, 'status', '--porcelain')).toBe('')
      git(origin, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main')
      expect((await push(backend, session, { branch: 'alias' })).body.code).toBe('push_rejected')
      git(origin, 'branch', 'deep')
      expect((await push(backend, session, { branch: 'deep/er' })).body).toMatchObject({
        code: 'push_rejected',
        detail: expect.stringContaining('deep'),
      })
    }))

  it('runs nothing that a local origin names, outside of the sandbox', () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend)
      const { session, origin, clone } = saved
      commitFiles(clone, { 'b.txt': 'b\n' }, 'Add b')
      await saved.turn()
      const mark = join(backend.directory, 'sprung')
      const bait = join(backend.directory, 'bait.sh')
      writeFileSync(bait, `#!/bin/sh\necho "$0 $*" >> ${mark}\ntouch ${join(origin, 'sprung')} sprung\ncat\n`)
      chmodSync(bait, 0o755)
      for (const name of ['core.fsmonitor', 'core.sshCommand', 'core.alternateRefsCommand', 'core.askPass'])
        git(origin, 'config', name, bait)
      git(origin, 'config', 'core.hooksPath', join(origin, '.git/hooks'))
      git(origin, 'config', 'gpg.program', bait)
      mkdirSync(join(origin, '.git/hooks'), { recursive: true })
      for (const hook of ['reference-transaction', 'pre-receive', 'update', 'post-receive', 'post-update']) {
        writeFileSync(join(origin, '.git/hooks', hook), `#!/bin/sh\ntouch ${origin}/sprung; echo > ${mark}\n`)
        chmodSync(join(origin, '.git/hooks', hook), 0o755)
      }
      expect((await push(backend, session)).status).toBe(200)
      expect(existsSync(mark)).toBe(false)
      expect(existsSync(join(origin, 'sprung'))).toBe(false)
    }))

  it('leaves out line endings that a checkout makes, and repositories inside', () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend, {
        files: { '.gitattributes': '*.bat text eol=crlf\n', 'run.bat': 'echo\nexit\n', 'mine.txt': 'a\n' },
      })
      const { session, origin, clone } = saved
      // The runner keeps bytes: the shadow has what the work tree has.
      writeFiles(clone, { '.git/info/attributes': '* -text\n', 'run.bat': 'echo\r\nexit\r\n' })
      createRepository(join(clone, 'inner'))
      await saved.turn()
      const none = await push(backend, session)
      expect(none.body).toMatchObject({ committed: false, commit: saved.base })
      writeFiles(clone, { 'mine.txt': 'b\n' })
      await saved.turn()
      expect((await push(backend, session)).body).toMatchObject({ committed: true })
      const branch = sessionBranch(session)
      expect(git(origin, 'diff', '--name-only', 'main', branch)).toBe('mine.txt')
    }))

  it('honours an idempotency key, also when the session has gone on', () =>
    withBackend(async (backend) => {
      const saved = await onBare(backend)
      const { session, clone } = saved
      writeFiles(clone, { x: '1' })
      await saved.turn()
      const keyed = { headers: { 'idempotency-key': 'k' } }
      const first = await push(backend, session, {}, keyed)
      writeFiles(clone, { x: '2' })
      await saved.turn()
      const again = await push(backend, session, {}, keyed)
      expect(again.body).toMatchObject({ commit: first.body.commit, checkpoint: 1, unchanged: false })
      expect((await push(backend, session, { branch: 'b' }, keyed)).body.code).toBe('idempotency_mismatch')
      expect((await push(backend, session)).body).toMatchObject({ checkpoint: 2, unchanged: false })
    }))

  it('outside of the allowed directories, to no repository, or of an unknown one is refused', () =>
    withBackend(async (backend) => {
      const saved = await onBare(backend)
      const { session, origin } = saved
      await saved.turn()
      expect((await push(backend, session, { repository: 'other' })).body.code).toBe('repository_not_found')
      expect((await push(backend, session, { branch: '../x' })).body.code).toBe('invalid_input')
      execFileSync('mv', [origin, join(backend.directory, 'moved')])
      expect((await push(backend, session)).body.code).toBe('repository_not_allowed')
      execFileSync('ln', ['-s', join(backend.directory, 'moved'), origin])
      expect((await push(backend, session)).body.code).toBe('repository_not_allowed')
      execFileSync('rm', [origin])
      mkdirSync(origin)
      expect((await push(backend, session)).body.code).toBe('push_failed')
    }))
})

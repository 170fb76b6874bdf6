import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BranchList, GitState, ListedRepository, RunnerFactBody, SessionGit } from '@berth/contract'
import type { RunnerSpec } from '@berth/runtime'
import { describe, expect, it } from 'vitest'
import { eventually, type TestBackend, withBackend } from '../test-backend.ts'

const sessions = '/api/projects/default/sessions'

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent' },
  })

/** A repository with three branches, one of them only in the packed list. */
const repositoryIn = ({ directory }: TestBackend, name: string): string => {
  const path = join(directory, 'repositories', name)
  mkdirSync(path, { recursive: true })
  git(path, 'init', '--quiet', '-b', 'main')
  git(path, 'commit', '--quiet', '--allow-empty', '-m', 'First')
  git(path, 'branch', 'feature/one')
  git(path, 'pack-refs', '--all')
  git(path, 'branch', 'zeta')
  return path
}

const snapshotOf = (name: string, files: number): RunnerFactBody => {
  const total = { files, insertions: files, deletions: 0 }
  const more = { commit: 'b'.repeat(40), commits: 0, files: [], patch: { text: '' }, turnPatch: { text: '' } }
  const repositories = [{ name, total, turn: total, ...more }]
  return { type: 'workspace.snapshot', data: { turn: 'trn_01k11111111111111111111111', repositories } }
}

describe('the repositories of a session', () => {
  it('are added, listed, tried again and removed', () =>
    withBackend(async (backend) => {
      const { call, facts } = backend
      const url = repositoryIn(backend, 'app')
      const { session, spec } = await backend.idleSession()
      const at = `${sessions}/${session}/repositories`
      const added = await call(at, { body: { url, depth: 1, submodules: true } })
      expect(added.status).toBe(202)
      const clash = await call(at, { body: { url } })
      expect([clash.status, clash.body.code]).toEqual([409, 'repository_exists'])
      const outside = await call(at, { body: { url: '/etc' } })
      expect([outside.status, outside.body.code]).toEqual([403, 'repository_not_allowed'])
      const early = await call(`${at}/app/retry`, { method: 'POST' })
      expect([early.status, early.body.code]).toEqual([409, 'repository_not_failed'])
      await facts(spec, 3, {
        type: 'repository.state',
        data: { name: 'app', state: 'failed', message: 'No such repository.' },
      })
      const { body } = await call<{ items: ListedRepository[] }>(at)
      expect(body.items).toMatchObject([
        { name: 'app', state: 'failed', message: 'No such repository.', depth: 1, submodules: true },
      ])
      expect((await call(`${at}/app/retry`, { method: 'POST' })).status).toBe(202)
      expect((await call(`${at}/other`, { method: 'DELETE' })).body.code).toBe('repository_not_found')
      expect((await call(`${at}/app`, { method: 'DELETE' })).status).toBe(202)
      expect((await call<{ items: object[] }>(at)).body.items).toEqual([])
    }))

  it('are not removed from a stopped session when its last turn left work, unless by force', () =>
    withBackend(async (backend) => {
      const { call, facts } = backend
      const { session, spec } = await backend.idleSession({
        repositories: [{ url: repositoryIn(backend, 'app') }],
      })
      await facts(spec, 3, { type: 'repository.state', data: { name: 'app', state: 'ready' } })
      await facts(spec, 4, snapshotOf('app', 2))
      await call(`${sessions}/${session}/stop`, { method: 'POST' })
      backend.runtime.end(session, 'exited', { exitCode: 0 })
      const at = `${sessions}/${session}/repositories/app`
      const git = await call<SessionGit>(`${sessions}/${session}/git`)
      expect(git.body).toMatchObject({ source: 'snapshot', repositories: [{ name: 'app', ahead: 0 }] })
      const refused = await call(at, { method: 'DELETE' })
      expect([refused.status, refused.body.code]).toEqual([409, 'repository_has_work'])
      expect(refused.body.detail).toContain('2 changed files')
      expect((await call(`${at}?force=true`, { method: 'DELETE' })).status).toBe(202)
    }))
})

describe('the repositories of a live session', () => {
  /** Answers what the session's runner is asked, once. */
  const answer = async (backend: TestBackend, spec: RunnerSpec, n: number, state: GitState) => {
    const operation = await eventually('a request', async () =>
      (await backend.parts.store.state(spec.session))?.operations.at(-1),
    )
    const result = { kind: 'git-state' as const, repositories: [state] }
    await backend.facts(spec, n, { type: 'operation.completed', data: { operation, result } })
  }
  const clean: GitState = {
    name: 'app',
    commit: 'c'.repeat(40),
    ahead: 0,
    behind: 0,
    changed: 0,
    branches: [],
  }

  it('tell git’s state, and are not removed with work in them', () =>
    withBackend(async (backend) => {
      const { call } = backend
      const { session, spec } = await backend.idleSession({
        repositories: [{ url: repositoryIn(backend, 'app') }],
      })
      const branch = { branch: 'main', sessionBranch: `berth/${session}`, base: 'a'.repeat(40) }
      await backend.facts(spec, 3, {
        type: 'repository.state',
        data: { name: 'app', state: 'ready', ...branch },
      })
      const asked = call<SessionGit>(`${sessions}/${session}/git`)
      await answer(backend, spec, 4, { ...clean, ahead: 2, unpushed: 2 })
      expect((await asked).body).toMatchObject({ source: 'live', repositories: [{ name: 'app', ahead: 2 }] })
      const at = `${sessions}/${session}/repositories/app`
      const dirty = call(at, { method: 'DELETE' })
      await answer(backend, spec, 5, { ...clean, changed: 3, unpushed: 1 })
      expect((await dirty).body.detail).toMatch(/3 files with changes .* and 1 commit that were not pushed/)
      const removed = call(at, { method: 'DELETE' })
      await answer(backend, spec, 6, clean)
      expect((await removed).status).toBe(202)
    }))

  it('are not removed while a turn runs, unless by force', () =>
    withBackend(async (backend) => {
      const { call } = backend
      const { session } = await backend.idleSession({
        repositories: [{ url: repositoryIn(backend, 'app') }],
        prompt: 'Go',
      })
      const at = `${sessions}/${session}/repositories/app`
      const busy = await call(at, { method: 'DELETE' })
      expect([busy.status, busy.body.code]).toEqual([409, 'repository_busy'])
      expect((await call(`${at}?force=true`, { method: 'DELETE' })).status).toBe(202)
    }))
})

describe('the branches of a repository', () => {
  const ask = ({ call }: TestBackend, url: string) =>
    call<BranchList & { code: string; detail: string }>(
      `/api/projects/default/branches?url=${encodeURIComponent(url)}`,
    )

  it('are read from a local one, packed or not, the default first', () =>
    withBackend(async (backend) => {
      const path = repositoryIn(backend, 'app')
      const { body } = await ask(backend, path)
      expect(body.default).toBe('main')
      expect(body.branches.map(({ name }) => name)).toEqual(['main', 'feature/one', 'zeta'])
      expect(body.branches[0]?.commit).toBe(git(path, 'rev-parse', 'main').trim())
      git(join(path, '..'), 'clone', '--quiet', '--bare', 'app', 'bare')
      expect((await ask(backend, join(path, '../bare'))).body.branches).toHaveLength(3)
      git(path, 'worktree', 'add', '--quiet', '../tree', 'zeta')
      expect((await ask(backend, join(path, '../tree'))).body.default).toBe('zeta')
    }))

  it('are not told of what is outside, not there, no repository, or a trap', () =>
    withBackend(async (backend) => {
      const path = repositoryIn(backend, 'app')
      const outside = await ask(backend, '/etc')
      expect([outside.status, outside.body.code]).toEqual([403, 'repository_not_allowed'])
      expect((await ask(backend, join(path, 'nowhere'))).body.code).toBe('invalid_input')
      const plain = join(path, '../plain')
      mkdirSync(plain)
      expect((await ask(backend, plain)).body.code).toBe('repository_unreachable')
      const linked = join(path, '../linked')
      mkdirSync(linked)
      writeFileSync(join(linked, '.git'), 'gitdir: /etc\n')
      expect((await ask(backend, linked)).body.code).toBe('repository_unreachable')
      const secret = join(backend.directory, 'secret')
      writeFileSync(secret, `${'a'.repeat(40)}\n`)
      symlinkSync(secret, join(path, '.git/refs/heads/secret'))
      expect((await ask(backend, path)).body.branches.map(({ name }) => name)).not.toContain('secret')
    }))

  it('of a remote that is not there: the reason is told', () =>
    withBackend(async (backend) => {
      const { status, body } = await ask(backend, 'http://127.0.0.1:1/app.git')
      expect([status, body.code]).toEqual([502, 'repository_unreachable'])
      expect(body.detail).toContain('can’t be reached')
    }))
})

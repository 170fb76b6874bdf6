import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditRecord, type PushPolicy, sessionBranch } from '@berth/contract'
import { type GitHttpServer, startGitHttpServer } from '@berth/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Authenticator } from '../auth/authenticator.ts'
import { commitFiles, createRepository, git } from '../checkpoints/fixtures/work.ts'
import { createTestBackend, ownerToken, type TestBackend } from '../test-backend.ts'
import { gitThrough } from './test-git.ts'

/** A token is a name, and groups: `ada/ops,dev`. */
const authenticator: Authenticator = {
  authenticate: async ({ bearer }) => {
    if (bearer === undefined) return undefined
    const [id = '', groups] = bearer === ownerToken ? ['owner'] : bearer.split('/')
    const names = (groups?.split(',') ?? []).map((group) => ({ kind: 'group' as const, id: group }))
    return {
      actor: { kind: 'user', id },
      subjects: [{ kind: 'user', id }, ...names],
      platformAdmin: id === 'owner',
      mayCreateProjects: false,
    }
  },
}

let root: string
let server: GitHttpServer
let backend: TestBackend

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-push-sender-'))
  const source = createRepository(join(root, 'source'))
  commitFiles(source, { 'first.txt': 'first\n' }, 'First')
  git(root, 'clone', '--quiet', '--bare', source, 'origin.git')
  server = await startGitHttpServer({ root, route: async (_request, _response, path) => path })
  backend = await createTestBackend({ authenticator, git: { hosts: [new URL(server.url).host] } })
})

afterAll(async () => {
  await backend.dispose()
  await server.close()
  await rm(root, { recursive: true, force: true })
})

const api = (path: string, options?: Parameters<TestBackend['call']>[1]) =>
  backend.call<Record<string, unknown>>(`/api/projects/default${path}`, options)

const setMember = (kind: string, id: string, role: string) =>
  api(`/members/${kind}/${id}`, { method: 'PUT', body: { role } })
const removeMember = (kind: string, id: string) => api(`/members/${kind}/${id}`, { method: 'DELETE' })

const setPolicy = async (role: PushPolicy['role']) => {
  const { version } = (await api('/settings')).body
  const headers = { 'if-match': `"${version}"` }
  const body = { pushPolicy: { maxMiB: 10, role } }
  expect((await api('/settings', { method: 'PATCH', body, headers })).status).toBe(200)
}

/** A session in whose turn somebody’s prompt is worked on; gives what pushes a new commit from it. */
const turnOf = async (token: string, more: object = {}) => {
  const repositories = [{ url: `${server.url}/origin` }]
  const { session, spec } = await backend.idleSession({ repositories, ...more })
  const work = join(root, session)
  const run = (...args: [string, ...string[]]) => gitThrough(backend, spec.token, args)
  await run(root, 'clone', '--quiet', `${server.url}/origin.git`, session)
  git(work, 'checkout', '--quiet', '-b', sessionBranch(session))
  const prompt = () => api(`/sessions/${session}/prompts`, { token, body: { content: 'Push.' } })
  let n = 0
  const push = () => {
    commitFiles(work, { 'n.txt': `${++n}\n` }, `Change ${n}`)
    return run(work, 'push', '--quiet', 'origin', 'HEAD')
  }
  return { session, prompt, push, commit: () => git(work, 'rev-parse', 'HEAD') }
}

const notAnyMore = /who sent the prompt may not work in this session any more/

describe('[P157] a push of an agent', { timeout: 60_000 }, () => {
  it('goes on while the group of whoever sent the prompt has its role, and ends with it', async () => {
    await setPolicy('editor')
    await setMember('group', 'makers', 'editor')
    const { session, prompt, push, commit } = await turnOf('ada/other,makers')
    expect((await prompt()).status).toBe(202)
    expect(await push()).toEqual({ ok: true, said: '' })
    const there = commit()
    await removeMember('group', 'makers')
    const refused = await push()
    expect(refused).toMatchObject({ ok: false, said: expect.stringMatching(notAnyMore) })
    expect(git(join(root, 'origin.git'), 'rev-parse', sessionBranch(session))).toBe(there)
    const [event] = await backend.parts.store.eventsOfType(session, { type: 'git.refused', limit: 1 })
    expect(JSON.parse(event?.json ?? '{}').data).toMatchObject({
      message: expect.stringMatching(notAnyMore),
      onBehalfOf: { kind: 'user', id: 'ada' },
    })
    const { items } = (await backend.call<{ items: AuditRecord[] }>('/api/audit?action=git.pushed')).body
    expect(items.filter((entry) => entry.session === session).map(({ result }) => result)).toEqual([
      'refused',
      'done',
    ])
    await setMember('group', 'makers', 'editor')
    expect(await push()).toMatchObject({ ok: true })
  })

  it('is let through where only admins push, for one who is so by a group', async () => {
    await setPolicy('admin')
    await setMember('group', 'leads', 'admin')
    await setMember('user', 'bob', 'editor')
    const lead = await turnOf('lead/leads')
    await lead.prompt()
    expect(await lead.push()).toMatchObject({ ok: true })
    const editor = await turnOf('bob')
    await editor.prompt()
    expect((await editor.push()).said).toContain('in this project only admins push')
  })

  it('is refused when a member is one no more, has a lower role, or the key is revoked', async () => {
    await setPolicy('editor')
    await setMember('user', 'bob', 'editor')
    const person = await turnOf('bob')
    await person.prompt()
    expect(await person.push()).toMatchObject({ ok: true })
    await setMember('user', 'bob', 'viewer')
    expect((await person.push()).said).toMatch(notAnyMore)
    await removeMember('user', 'bob')
    expect((await person.push()).said).toMatch(notAnyMore)

    const key = (await api('/keys', { body: { name: 'bot', role: 'editor' } })).body
    const robot = await turnOf(String(key.secret))
    expect((await robot.prompt()).status).toBe(202)
    expect(await robot.push()).toMatchObject({ ok: true })
    await api(`/keys/${key.id}`, { method: 'DELETE' })
    expect((await robot.push()).said).toMatch(notAnyMore)
  })

  it('is refused when a private session is shared no more', async () => {
    await setMember('user', 'eve', 'editor')
    const { session, prompt, push } = await turnOf('eve', { visibility: 'private' })
    const share = async (shares: object[]) => {
      const { version } = (await api(`/sessions/${session}`)).body
      const headers = { 'if-match': `"${version}"` }
      const answer = await api(`/sessions/${session}/sharing`, { method: 'PATCH', body: { shares }, headers })
      expect(answer.status).toBe(200)
    }
    await share([{ kind: 'user', id: 'eve', role: 'editor' }])
    expect((await prompt()).status).toBe(202)
    expect(await push()).toMatchObject({ ok: true })
    await share([])
    expect((await push()).said).toMatch(notAnyMore)
  })
})

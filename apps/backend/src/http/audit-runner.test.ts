import type { AuditRecord, SessionSummary } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { savedSession } from '../checkpoints/fixtures/saved-session.ts'
import { commitFiles } from '../checkpoints/fixtures/work.ts'
import { type AnsweringRunner, answeringRunner } from '../files/fixtures/answering-runner.ts'
import { createTestBackend, someId, type TestBackend } from '../test-backend.ts'

let backend: TestBackend
beforeAll(async () => {
  backend = await createTestBackend()
  // An entry that isn't in the transaction of its change has no other way here.
  await backend.restart(({ store }) => {
    const recordAudit = () => Promise.reject(new Error('nothing is recorded by itself here'))
    const get = (object: object, name: string) => {
      const value = name === 'recordAudit' ? recordAudit : Reflect.get(object, name)
      return typeof value === 'function' ? value.bind(object) : value
    }
    return { store: new Proxy(store, { get: (object, name) => get(object, String(name)) }) }
  })
})
afterAll(() => backend.dispose())

/** What a request leaves in the audit. */
const entriesOf = async (path: string, options: Parameters<TestBackend['call']>[1]) => {
  const answer = await backend.call(path, options)
  const requestId = answer.headers.get('x-request-id')
  const { items } = await backend.parts.store.auditList({}, { limit: 1000 })
  const entries = items.filter((entry: AuditRecord) => entry.requestId === requestId)
  return { status: answer.status, body: answer.body, entries }
}

const post = (path: string, body: object = {}) => entriesOf(path, { method: 'POST', body })

it('[P165] of what a session’s runner is needed for, a success is one entry, with its change', async () => {
  const { session, spec } = await backend.idleSession()
  const one = `/api/projects/default/sessions/${session}`
  const done = (action: string) => [{ action, result: 'done', session, actor: { kind: 'user', id: 'owner' } }]
  const prompt = await post(`${one}/prompts`, { content: 'a' })
  expect(prompt).toMatchObject({ status: 202, entries: done('createPrompt') })
  const turn = (await backend.call<SessionSummary>(one)).body.turn?.turn ?? ''
  const [allowed, asked] = [someId('request'), someId('request')]
  const rule = { tool: 'Bash', input: {}, detail: 'ls', because: 'rule' } as const
  await backend.facts(spec, 3, { type: 'permission.requested', data: { request: allowed, turn, ...rule } })
  const decided = await post(`${one}/permissions/${allowed}`, { behavior: 'allow' })
  expect(decided).toMatchObject({ status: 200, entries: done('decidePermission') })
  const options = [
    { label: 'Yes', description: '' },
    { label: 'No', description: '' },
  ]
  const questions = [{ question: 'Go on?', header: 'Go', options, multiSelect: false }]
  await backend.facts(spec, 4, { type: 'question.asked', data: { request: asked, turn, questions } })
  const answered = await post(`${one}/questions/${asked}`, { answers: { 'Go on?': 'Yes' } })
  expect(answered).toMatchObject({ status: 200, entries: done('answerQuestion') })
  const queued = await post(`${one}/prompts`, { content: 'b' })
  const { prompt: waiting } = queued.body as unknown as { prompt: string }
  const withdrawn = await entriesOf(`${one}/prompts/${waiting}`, { method: 'DELETE' })
  expect(withdrawn).toMatchObject({ status: 200, entries: done('withdrawPrompt') })
  expect(await post(`${one}/interrupt`)).toMatchObject({ status: 202, entries: done('interruptSession') })
  for (const { entries } of [prompt, decided, answered, withdrawn]) expect(entries).toHaveLength(1)
})

it('[P165] a change of a workspace is one entry, with the operation that asks for it', async () => {
  const idle = await backend.idleSession()
  const runner: AnsweringRunner = answeringRunner(backend, idle)
  try {
    const path = `/api/projects/default/sessions/${idle.session}/files/content?path=a.txt`
    const headers = { 'content-type': 'application/octet-stream' }
    const written = await entriesOf(path, { method: 'PUT', body: 'text', headers })
    expect(written.status).toBe(200)
    expect(written.entries).toMatchObject([{ action: 'writeFile', result: 'done', session: idle.session }])
    const removed = await entriesOf(path.replace('/content', ''), { method: 'DELETE' })
    expect(removed.status).toBeLessThan(300)
    expect(removed.entries).toMatchObject([{ action: 'deleteFile', result: 'done', session: idle.session }])
  } finally {
    await runner.close()
  }
})

describe('[P165] with a key', () => {
  let token: string
  let by: object
  beforeAll(async () => {
    const { body } = await backend.call<{ id: string; secret: string }>('/api/projects/default/keys', {
      body: { name: 'ci' },
    })
    token = body.secret
    by = { kind: 'key', id: body.id }
  })
  const asKey = (path: string, options: Parameters<TestBackend['call']>[1]) =>
    entriesOf(path, { ...options, token })

  it('an upload is one entry when it begins and one when it ends, and none for its bytes', async () => {
    const idle = await backend.idleSession()
    const runner = answeringRunner(backend, idle)
    try {
      const { session } = idle
      const all = `/api/projects/default/sessions/${session}/uploads`
      const begin = async (path: string) => {
        const begun = await asKey(all, { body: { path, size: 4 } })
        const { upload } = begun.body as { upload: string }
        const object = { kind: 'upload', id: upload }
        expect([begun.status, begun.entries]).toMatchObject([
          201,
          [{ action: 'createUpload', result: 'done', session, actor: by, object }],
        ])
        return { one: `${all}/${upload}`, ends: { result: 'done', session, actor: by, object } }
      }
      const send = (one: string, offset: number, bytes: string) =>
        asKey(one, {
          method: 'PATCH',
          body: Buffer.from(bytes),
          headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(offset) },
        })
      const whole = await begin('a.txt')
      for (const [offset, bytes] of [
        [0, 'te'],
        [2, 'xt'],
      ] as const)
        expect(await send(whole.one, offset, bytes)).toMatchObject({ status: 200, entries: [] })
      const finished = await asKey(`${whole.one}/finish`, { method: 'POST' })
      expect(finished).toMatchObject({ status: 200, entries: [{ action: 'finishUpload', ...whole.ends }] })
      expect(finished.entries).toHaveLength(1)
      const given = await begin('b.txt')
      const cancelled = await asKey(given.one, { method: 'DELETE' })
      expect(cancelled).toMatchObject({ status: 204, entries: [{ action: 'cancelUpload', ...given.ends }] })
      expect(cancelled.entries).toHaveLength(1)
    } finally {
      await runner.close()
    }
  })

  it('a push and a return to a checkpoint are one entry each; one that finds nothing to do is none', async () => {
    const saved = await savedSession(backend)
    const { session } = saved
    const one = `/api/projects/default/sessions/${session}`
    commitFiles(saved.clone, { 'b.txt': 'b' }, 'Add b')
    const turn = await saved.turn()
    const done = (action: string) => [{ action, result: 'done', session, actor: by }]
    const pushed = await asKey(`${one}/push`, { body: {} })
    expect(pushed).toMatchObject({ status: 200, entries: done('pushSession') })
    expect(pushed.entries).toHaveLength(1)
    expect(await asKey(`${one}/push`, { body: {} })).toMatchObject({ status: 200, entries: [] })
    const restored = await asKey(`${one}/restore-workspace`, { body: { turn } })
    expect(restored).toMatchObject({ status: 202, entries: done('restoreWorkspace') })
    expect(restored.entries).toHaveLength(1)
    const headers = { 'idempotency-key': 'once' }
    const first = await asKey(`${one}/restore-workspace`, { body: { turn }, headers })
    const second = await asKey(`${one}/restore-workspace`, { body: { turn }, headers })
    expect([first.entries.length, second.status, second.entries]).toEqual([1, 202, []])
  })
})

it('[P165] a login link and the end of a sign-in are in the transaction that makes and ends them', async () => {
  const link = await post('/api/login-links')
  expect(link.status).toBe(201)
  expect(link.entries).toMatchObject([{ action: 'createLoginLink', result: 'done', actor: { id: 'owner' } }])
  const { path } = link.body as unknown as { path: string }
  const login = await backend.call(path, { token: null })
  const cookie = (login.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
  const headers = { cookie, 'content-type': 'application/json', origin: backend.url }
  expect((await backend.call('/api/me', { token: null, headers })).status).toBe(200)
  const out = await entriesOf('/api/logout', { method: 'POST', token: null, headers, body: {} })
  expect(out.status).toBe(200)
  expect(out.entries).toMatchObject([{ action: 'logout', result: 'done', actor: { id: 'owner' } }])
  expect((await backend.call('/api/me', { token: null, headers })).status).toBe(401)
})

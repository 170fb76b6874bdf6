import type { SessionSummary } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import {
  type Answer,
  type CallOptions,
  eventually,
  someId,
  type TestBackend,
  withBackend,
} from '../test-backend.ts'

const sessions = '/api/projects/default/sessions'
const keyed = (key: string, more: CallOptions = {}): CallOptions => ({
  ...more,
  headers: { 'idempotency-key': key },
})

const prompt = ({ call }: TestBackend, session: string, options: CallOptions) =>
  call<{ prompt: string; seq: number; code?: string }>(`${sessions}/${session}/prompts`, options)

const codes = (answers: Answer[]) => answers.map(({ status, body }) => [status, body.code])

describe('an idempotency key', () => {
  it('makes a repeated request single, also when it comes at the same time and after a restart', () =>
    withBackend(async (backend) => {
      const body = { prompt: 'Hello', title: 'One' }
      const all = await Promise.all(
        Array.from({ length: 10 }, () => backend.call<SessionSummary>(sessions, keyed('a', { body }))),
      )
      expect(new Set(all.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1)
      await backend.restart()
      const again = await backend.call<SessionSummary>(sessions, keyed('a', { body }))
      expect(again.body.id).toBe(all[0]?.body.id)
      expect((await backend.call<{ items: object[] }>(sessions)).body.items.length).toBe(1)
      const first = await prompt(backend, again.body.id, keyed('p', { body: { content: 'x' } }))
      await prompt(backend, again.body.id, { body: { content: 'y' } })
      const second = await prompt(backend, again.body.id, keyed('p', { body: { content: 'x' } }))
      expect(second.body).toEqual(first.body)
    }))

  it('is refused for another body, and counts for one route only', () =>
    withBackend(async (backend) => {
      const { id } = await backend.session()
      await prompt(backend, id, keyed('k', { body: { content: 'x' } }))
      const other = await prompt(backend, id, keyed('k', { body: { content: 'y' } }))
      expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch'])
      expect((await backend.call(`${sessions}/${id}/stop`, keyed('k', { method: 'POST' }))).status).toBe(202)
    }))
})

describe('If-Match', () => {
  const title = (body: object, version?: string): CallOptions => ({
    method: 'PATCH',
    body,
    headers: version === undefined ? {} : { 'if-match': version },
  })

  it('guards sessions, projects and settings against lost updates', () =>
    withBackend(async ({ call, session }) => {
      const { id } = await session()
      for (const [path, change] of [
        [`${sessions}/${id}`, { title: 'New' }],
        ['/api/projects/default', { displayName: 'New' }],
        ['/api/projects/default/settings', { turnMinutes: 7 }],
      ] as const) {
        const { headers } = await call(path.replace(/(ses_\w+)$/, '$1'))
        const etag = headers.get('etag') ?? ''
        const answers = [
          await call(path, title(change)),
          await call(path, title(change, etag)),
          await call(path, title(change, etag)),
        ]
        expect([path, codes(answers)]).toEqual([
          path,
          [
            [428, 'precondition_required'],
            [200, undefined],
            [412, 'version_mismatch'],
          ],
        ])
        expect(answers[1]?.headers.get('etag')).not.toBe(etag)
      }
    }))
})

describe('the list of sessions', () => {
  it('gives every session once, newest first, while others are created', () =>
    withBackend(async ({ call, session }) => {
      const made: string[] = []
      for (let i = 0; i < 12; i++) made.push((await session({ title: `Session ${i}` })).id)
      const seen: string[] = []
      let next: string | undefined = ''
      while (next !== undefined) {
        const query: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`
        const page: Answer<{ items: SessionSummary[]; next?: string }> = await call(
          `${sessions}?limit=5${query}`,
        )
        seen.push(...page.body.items.map(({ id }) => id))
        next = page.body.next
        await session({ title: 'In between' })
      }
      expect(seen).toEqual(made.reverse())
    }))

  it('filters by phase, owner, label and text, all together', () =>
    withBackend(async (backend) => {
      const { session } = await backend.idleSession({
        title: 'Größe ändern',
        labels: { team: 'a', 'x/y': '' },
      })
      const { id: other } = await backend.session({ title: 'Other', labels: { team: 'b' } })
      await backend.spec(other)
      const found = async (query: string) =>
        (await backend.call<{ items: SessionSummary[] }>(`${sessions}?${query}`)).body.items.map(
          ({ title }) => title,
        )
      expect(await found('phase=idle')).toEqual(['Größe ändern'])
      expect((await found('phase=idle&phase=starting')).length).toBe(2)
      expect(await found('label=team%3Db')).toEqual(['Other'])
      expect((await found('label=team')).length).toBe(2)
      expect(await found('label=team&label=x%2Fy')).toEqual(['Größe ändern'])
      expect(await found('text=GR%C3%96SSE')).toEqual(await found('text=gr%C3%B6sse'))
      expect(await found('text=%C3%84NDERN&owner=owner&phase=idle&label=team%3Da')).toEqual(['Größe ändern'])
      expect(await found('owner=someone')).toEqual([])
      await backend.call(`${sessions}/${session}`, { method: 'DELETE' })
      expect(await found('')).toEqual(['Other'])
      expect(await found('deleted=true')).toEqual(['Größe ändern'])
    }))
})

describe('refusals that need a state', () => {
  it('are each told as the catalogue says', () =>
    withBackend(async (backend) => {
      const { call } = backend
      const { session, spec } = await backend.idleSession()
      const one = `${sessions}/${session}`
      const post = (path: string, body?: object) => call(`${one}/${path}`, { method: 'POST', body })
      const code = async (answer: Promise<Answer>) => (await answer).body.code
      expect(await code(post('interrupt'))).toBe('no_turn')
      expect(await code(post('restore'))).toBe('session_not_deleted')
      expect(await code(post(`permissions/${someId('request')}`, { behavior: 'allow' }))).toBe(
        'request_closed',
      )
      const first = await prompt(backend, session, { body: { content: 'a' } })
      expect(await code(call(`${one}/prompts/${first.body.prompt}`, { method: 'DELETE' }))).toBe(
        'prompt_taken',
      )
      expect(await code(call(`${one}/prompts/${someId('prompt')}`, { method: 'DELETE' }))).toBe(
        'prompt_not_found',
      )
      for (let i = 0; i < 100; i++) await prompt(backend, session, { body: { content: 'x' } })
      const full = await prompt(backend, session, { body: { content: 'x' } })
      expect([full.status, full.body.code, full.headers.get('retry-after')]).toEqual([429, 'queue_full', '1'])
      const turn = (await backend.summary(session)).turn?.turn ?? ''
      const asks = {
        request: someId('request'),
        turn,
        tool: 'Bash',
        input: {},
        detail: 'ls',
        because: 'rule',
      }
      await backend.facts(spec, 3, { type: 'permission.requested', data: asks })
      expect(await code(post(`questions/${asks.request}`, { answers: {} }))).toBe('request_not_found')
      expect((await post(`permissions/${asks.request}`, { behavior: 'allow' })).status).toBe(200)
      expect(await code(post(`permissions/${asks.request}`, { behavior: 'deny' }))).toBe('request_closed')
      expect(await code(call(`${one}/blobs/${'a'.repeat(64)}`))).toBe('blob_not_found')
      expect(await code(call(`${one}/changes?turn=${turn}`))).toBe('changes_not_found')
      const ends = { turn, attempt: 1, result: 'success', message: '', durationMs: 1 } as const
      const failed = { reason: 'clone', message: 'No such repository.' } as const
      await backend.facts(spec, 4, { type: 'turn.ended', data: ends }, { type: 'start.failed', data: failed })
      expect(await code(prompt(backend, session, { body: { content: 'x' } }))).toBe('session_failed')
      await call(one, { method: 'DELETE' })
      for (const path of ['stop', 'resume', 'interrupt'])
        expect(await code(post(path))).toBe('session_deleted')
      expect(await code(call('/api/projects/default?confirm=default', { method: 'DELETE' }))).toBe(
        'project_protected',
      )
      expect(await code(call('/api/projects', { body: { name: 'default' } }))).toBe('project_exists')
    }))

  it('a full disk and a store that is closed are no faults', async () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    await withBackend(
      async (backend) => {
        const { status, body } = await backend.call(sessions, { body: { prompt: 'x'.repeat(70_000) } })
        expect([status, body.code, body.retryable]).toEqual([507, 'storage_full', true])
      },
      {
        blobs: {
          put: () => Promise.reject(full),
          get: async () => undefined,
          remove: async () => undefined,
          removeAll: async () => undefined,
          copy: async () => false,
          scopes: async function* () {},
        },
      },
    )
    await withBackend(async (backend) => {
      await backend.parts.store.close()
      expect(await backend.call('/readyz')).toMatchObject({ status: 503, body: { code: 'unavailable' } })
      expect((await backend.call('/livez')).status).toBe(200)
      const { status, headers, body } = await backend.call(sessions, { body: {} })
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    })
  })

  it('a model that the project does not allow', () =>
    withBackend(async ({ call }) => {
      const settings = { allowedModels: ['claude-haiku-*'] }
      await call('/api/projects', { body: { name: 'strict', settings } })
      const body = { settings: { model: 'claude-opus-4-5' } }
      expect((await call('/api/projects/strict/sessions', { body })).body).toMatchObject({
        code: 'model_not_allowed',
      })
    }))

  it('a patch of several repositories, without saying which', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      await prompt(backend, session, { body: { content: 'x' } })
      const { turn } = (await backend.summary(session)).turn ?? { turn: '' }
      const stat = { files: 1, insertions: 1, deletions: 0 }
      const file = {
        path: 'a.txt',
        status: 'deleted',
        binary: false,
        insertions: 0,
        deletions: 1,
        mode: '100644',
      } as const
      const snapshot = (name: string) => ({
        name,
        commit: 'c'.repeat(40),
        commits: 0,
        total: stat,
        turn: stat,
        files: [file],
        patch: { text: `whole ${name}` },
        turnPatch: { text: `turn ${name}` },
      })
      const repositories = [snapshot('a'), snapshot('b')]
      await backend.facts(spec, 3, { type: 'workspace.snapshot', data: { turn, repositories } })
      const get = (path: string) => backend.call<Record<string, unknown>>(`${sessions}/${session}/${path}`)
      expect((await get('changes')).body).toMatchObject({
        turn,
        repositories: [{ name: 'a' }, { name: 'b' }],
      })
      expect((await get('patch')).body).toMatchObject({ errors: [{ field: 'query.repository' }] })
      expect((await get('patch?repository=b&against=turn')).body).toBe('turn b')
      expect((await get('patch?repository=c')).body).toMatchObject({ code: 'changes_not_found' })
      expect((await get('changes/file?repository=a&path=a.txt')).body).toMatchObject({
        code: 'blob_not_found',
      })
      expect((await get('changes/file?repository=a&path=../x')).body).toMatchObject({
        code: 'changes_not_found',
      })
      await eventually('the summary', async () => (await backend.summary(session)).seq > 0)
    }))
})

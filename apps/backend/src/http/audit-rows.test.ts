import { type AuditRecord, type Route, routes } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBackend, type TestBackend } from '../test-backend.ts'
import { requestOf, routeNames } from './test-rows.ts'

/** Whatever changes something, or says that it is audited. */
const audited = routeNames.filter((name) => {
  const row: Route = routes[name]
  return row.audit ?? (row.method !== 'GET' && row.role !== 'public')
})

let backend: TestBackend
let stranger: string

beforeAll(async () => {
  backend = await createTestBackend({ operationMs: 100 })
  await backend.call('/api/projects', { body: { name: 'other' } })
  const key = await backend.call<{ secret: string }>('/api/projects/other/keys', { body: { name: 'ci' } })
  stranger = key.body.secret
})
afterAll(() => backend.dispose())

const entriesBefore = async () => {
  const { store } = backend.parts
  const known = new Set((await store.auditList({}, { limit: 10_000 })).items.map(({ id }) => id))
  return async (): Promise<AuditRecord[]> =>
    (await store.auditList({}, { limit: 10_000 })).items.filter(({ id }) => !known.has(id))
}

const ask = async (name: (typeof audited)[number], token: string | undefined, session: string) => {
  const news = await entriesBefore()
  const request = requestOf(name, { session })
  const answer = await backend.call<{ code?: string }>(request.path, { ...request, token })
  const requestId = answer.headers.get('x-request-id')
  return { answer, entries: (await news()).filter((entry) => entry.requestId === requestId) }
}

describe.each(audited)('[P165] %s', (name) => {
  it('leaves one entry that says what came of it, for somebody who may', async () => {
    const { id } = await backend.session()
    // Else there is nothing to do.
    if (name === 'resumeSession')
      await backend.call(`/api/projects/default/sessions/${id}/stop`, { method: 'POST' })
    const { answer, entries } = await ask(name, undefined, id)
    const { code } = answer.body ?? {}
    const result = answer.status < 400 ? 'done' : answer.status < 500 ? 'refused' : 'failed'
    const actor = { kind: 'user', id: 'owner' }
    expect(entries).toMatchObject([
      { action: name, result, code: result === 'done' ? undefined : code, actor },
    ])
    expect(entries).toHaveLength(1)
    expect(entries[0]?.address).toBe('127.0.0.1')
  })

  it('leaves one entry of a caller who is known and may not', async () => {
    const { answer, entries } = await ask(name, stranger, (await backend.session()).id)
    if (answer.status < 400) expect((routes[name] as Route).role).toBe('principal')
    const result = answer.status < 400 ? 'done' : 'refused'
    expect(entries).toMatchObject([{ action: name, result, actor: { kind: 'key' } }])
    expect(entries).toHaveLength(1)
  })
})

it('[P165] writes nothing for strangers, whatever they send', async () => {
  const news = await entriesBefore()
  for (const token of [null, 'wrong'])
    for (const name of audited) {
      const request = requestOf(name)
      expect((await backend.call(request.path, { ...request, token })).status).toBe(401)
    }
  expect(await news()).toEqual([])
  const { body } = await backend.call<string>('/metrics')
  expect(body).toMatch(/berth_refused_strangers_total\{code="unauthenticated"\} \d\d/)
})

it('[P165] writes nothing for what only reads', async () => {
  const news = await entriesBefore()
  const { id: session } = await backend.session()
  const reads = routeNames.filter((name) => !audited.includes(name) && routes[name].method === 'GET')
  for (const name of reads.filter((one) => one !== 'login'))
    await backend.call(requestOf(name, { session }).path, requestOf(name, { session }))
  expect((await news()).map(({ action }) => action)).toEqual(['createSession'])
})

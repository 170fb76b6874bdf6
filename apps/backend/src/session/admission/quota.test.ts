import type { ProjectQueue, SessionSettings, SessionSummary } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBackend, eventually, type TestBackend } from '../../test-backend.ts'

let backend: TestBackend
beforeAll(async () => {
  backend = await createTestBackend()
})
afterAll(() => backend.dispose())

const projectWith = async (name: string, settings: object) => {
  await backend.call('/api/projects', { body: { name, settings } })
  const path = `/api/projects/${name}`
  let version = 1
  return {
    path,
    create: async (settings: SessionSettings = {}) =>
      (await backend.call<SessionSummary>(`${path}/sessions`, { body: { settings } })).body.id,
    refused: (settings: SessionSettings = {}) => backend.call(`${path}/sessions`, { body: { settings } }),
    queue: async () => (await backend.call<ProjectQueue>(`${path}/queue`)).body,
    set: async (body: object) => {
      const headers = { 'if-match': `"${version}"` }
      const { status } = await backend.call(`${path}/settings`, { method: 'PATCH', body, headers })
      expect(status).toBe(200)
      version += 1
    },
    phase: async (session: string) =>
      (await backend.call<SessionSummary>(`${path}/sessions/${session}`)).body.status.phase,
  }
}

const starts = (project: Awaited<ReturnType<typeof projectWith>>, session: string) =>
  eventually(`${session} to start`, async () => (await project.phase(session)) === 'starting').then(() =>
    backend.spec(session),
  )

describe('[P163] a project with a quota of memory', () => {
  it('lets a session that does not fit wait, with its place and the reason, until another one ends', async () => {
    const project = await projectWith('waits', { quotaMemoryMiB: 3000, memoryMiB: 2000 })
    const first = await project.create()
    await starts(project, first)
    const second = await project.create({ memoryMiB: 1500 })
    const status = await eventually('the wait', async () => {
      const { body } = await backend.call<SessionSummary>(`${project.path}/sessions/${second}`)
      return body.status.phase === 'pending' && body.status.reason === 'capacity' ? body.status : undefined
    })
    expect(status.message).toContain('quotaMemoryMiB')
    const { items, capacity } = await project.queue()
    expect(items).toMatchObject([{ session: second, position: 1, reason: 'project-memory' }])
    expect(capacity.projectMemoryMiB).toEqual({ used: 2000, limit: 3000 })
    await backend.call(`${project.path}/sessions/${first}/stop`, { method: 'POST' })
    await starts(project, second)
    expect((await backend.spec(second)).limits.memoryBytes).toBe(1500 * 1024 * 1024)
  })

  it('wakes who waits when it is raised, and ends nothing when it is lowered', async () => {
    const project = await projectWith('changes', { quotaMemoryMiB: 1000, memoryMiB: 600 })
    const [first, second] = [await project.create(), await project.create()]
    await starts(project, first)
    await eventually('the wait', async () => (await project.queue()).waiting === 1)
    await project.set({ quotaMemoryMiB: 1200 })
    await starts(project, second)
    await project.set({ quotaMemoryMiB: 600 })
    expect((await project.queue()).capacity.projectMemoryMiB).toEqual({ used: 1200, limit: 600 })
    expect([await project.phase(first), await project.phase(second)]).toEqual(['starting', 'starting'])
  })

  it('counts what a session was started with, whatever its settings say since', async () => {
    const project = await projectWith('counts', { quotaMemoryMiB: 2000, memoryMiB: 2000 })
    await starts(project, await project.create())
    await project.set({ memoryMiB: 512 })
    await project.create()
    await eventually('the wait', async () => (await project.queue()).waiting === 1)
    expect((await project.queue()).capacity.projectMemoryMiB).toEqual({ used: 2000, limit: 2000 })
  })

  it('refuses a session that could never start, and names the field', async () => {
    const project = await projectWith('refuses', { quotaMemoryMiB: 1000 })
    const unset = await project.refused()
    expect(unset.status).toBe(400)
    expect(unset.body).toMatchObject({
      code: 'invalid_input',
      errors: [{ field: 'body.settings.memoryMiB', message: expect.stringContaining('1000 MiB') }],
    })
    const session = await project.create({ memoryMiB: 800 })
    await starts(project, session)
    await backend.call(`${project.path}/sessions/${session}/stop`, { method: 'POST' })
    await eventually('the stop', async () => (await project.phase(session)) === 'stopped')
    await project.set({ quotaMemoryMiB: 700 })
    const resumed = await backend.call(`${project.path}/sessions/${session}/resume`, { method: 'POST' })
    expect(resumed).toMatchObject({ status: 400, body: { errors: [{ field: 'settings.memoryMiB' }] } })
  })
})

describe('[P164] a project with a quota of CPU', () => {
  it('lets a session that does not fit wait until another one ends, and counts exactly', async () => {
    const project = await projectWith('cores', { quotaCpus: 0.4, cpus: 0.1 })
    const first = [await project.create(), await project.create(), await project.create()]
    for (const session of first) await starts(project, session)
    const second = await project.create({ cpus: 0.2 })
    await eventually('the wait', async () => (await project.queue()).waiting === 1)
    const { items, capacity } = await project.queue()
    expect(items).toMatchObject([{ session: second, reason: 'project-cpus' }])
    expect(capacity).toMatchObject({ projectCpus: { used: 0.3, limit: 0.4 } })
    expect(capacity.projectMemoryMiB).toBeUndefined()
    await backend.call(`${project.path}/sessions/${first[0]}/stop`, { method: 'POST' })
    await starts(project, second)
    expect((await backend.spec(second)).limits.milliCpus).toBe(200)
  })

  it('names every field of a session that could never start', async () => {
    const project = await projectWith('both', { quotaCpus: 2, quotaMemoryMiB: 1000 })
    expect((await project.refused({ cpus: 3, memoryMiB: 2000 })).body).toMatchObject({
      errors: [
        { field: 'body.settings.memoryMiB' },
        { field: 'body.settings.cpus', message: expect.stringContaining('2 cores (quotaCpus)') },
      ],
    })
    const session = await project.create({ cpus: 2, memoryMiB: 512 })
    const changed = await backend.call(`${project.path}/sessions/${session}/settings`, {
      method: 'PATCH',
      body: { cpus: 2.5 },
      headers: {
        'if-match': `"${(await backend.call<SessionSummary>(`${project.path}/sessions/${session}`)).body.version}"`,
      },
    })
    expect(changed).toMatchObject({ status: 400, body: { errors: [{ field: 'body.cpus' }] } })
  })
})

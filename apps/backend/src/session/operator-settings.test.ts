import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { operatorSettings, type ProjectSettings, type SessionSummary } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'
import { loadOperatorSettings } from './operator-settings.ts'

const operator = operatorSettings.parse({
  defaults: { memoryMiB: 1024, instructions: 'Be kind.' },
  maxima: { memoryMiB: 2048, cpus: 2, liveSessions: 1, dayBudgetUsd: 50 },
})

describe('[P203] what the operator sets', () => {
  it('counts for every project, and says that it is the operator’s', () =>
    withBackend(
      async ({ call, spec }) => {
        const { body } = await call<ProjectSettings>('/api/projects/default/settings')
        expect(body.effective).toMatchObject({ memoryMiB: 1024, cpus: 2, liveSessions: 1, dayBudgetUsd: 50 })
        expect(body.origins).toMatchObject({
          memoryMiB: 'operator',
          cpus: 'operator',
          instructions: 'operator',
        })
        expect(body.own).toEqual({})
        const [first, second] = [
          await call<SessionSummary>('/api/projects/default/sessions', { body: {} }),
          await call<SessionSummary>('/api/projects/default/sessions', { body: {} }),
        ]
        expect((await spec(first.body.id)).limits).toMatchObject({ memoryBytes: 2 ** 30, milliCpus: 2000 })
        const { body: queue } = await call<{ items: unknown[] }>('/api/projects/default/queue')
        expect(queue.items).toMatchObject([{ session: second.body.id, reason: 'project-sessions' }])
        const { body: usage } = await call<{ budgets: unknown[] }>('/api/projects/default/usage')
        expect(usage.budgets).toMatchObject([{ scope: 'day', unit: 'usd', limit: 50 }])
      },
      { operator },
    ))

  it('is the most that projects and sessions may set, with each field named and nothing changed', () =>
    withBackend(
      async ({ call }) => {
        const body = { memoryMiB: 4096, cpus: 4, turnMinutes: 5 }
        const fields = (prefix: string) => ({
          status: 400,
          body: {
            code: 'invalid_input',
            errors: [
              { field: `${prefix}memoryMiB`, message: expect.stringContaining('2048') },
              { field: `${prefix}cpus`, message: expect.stringContaining('operator') },
            ],
          },
        })
        const headers = { 'if-match': '"1"' }
        const path = '/api/projects/default/settings'
        expect(await call(path, { method: 'PATCH', body, headers })).toMatchObject(fields('body.'))
        expect((await call<ProjectSettings>(path)).body).toMatchObject({ version: 1, own: {} })
        expect(await call('/api/projects', { body: { name: 'new', settings: body } })).toMatchObject(
          fields('body.settings.'),
        )
        expect((await call('/api/projects/new')).status).toBe(404)
        const sessions = '/api/projects/default/sessions'
        expect(await call(sessions, { body: { settings: body } })).toMatchObject(fields('body.settings.'))
        const { body: session } = await call<SessionSummary>(sessions, { body: {} })
        const change = { method: 'PATCH', body, headers: { 'if-match': `"${session.version}"` } } as const
        expect(await call(`${sessions}/${session.id}/settings`, change)).toMatchObject(fields('body.'))
      },
      { operator },
    ))

  it('is read from a file, or refused with every bad entry', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-settings-'))
    try {
      const file = join(directory, 'settings.json')
      const load = async (text: string) => {
        await writeFile(file, text)
        return loadOperatorSettings(file)
      }
      expect(await loadOperatorSettings(undefined)).toBeUndefined()
      expect(await load('{"maxima": {"cpus": 2}}')).toEqual({ defaults: {}, maxima: { cpus: 2 } })
      await expect(load('cpus: 2')).rejects.toThrow(
        /settings\.json \(BERTH_SETTINGS\) can’t be used.*not JSON/,
      )
      await expect(load('{"maxima": {"cpus": "2"}, "defaults": {"none": 1}}')).rejects.toThrow(
        /defaults: .*none[\s\S]*maxima → cpus/,
      )
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

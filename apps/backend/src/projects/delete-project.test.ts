import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectDeletion } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { BackendParts } from '../backend.ts'
import { eventually, type TestBackend, withBackend } from '../test-backend.ts'

/** What a deletion does outside of a session's own steps, in its order. */
const effects = ['setDeletionStep', 'removeProject', 'removeAll', 'removeBase', 'finishDeletion'] as const
type Effect = (typeof effects)[number]

/** Everything that is called `effect` dies, before or after it did its work; and from then on all other effects too. */
const dying = <T extends object>(target: T, crash: Crash): T =>
  new Proxy(target, {
    get: (object, name) => {
      const value = Reflect.get(object, name)
      if (typeof value !== 'function') return value
      const call = value.bind(object)
      if (!effects.some((effect) => effect === name)) return call
      return async (...args: unknown[]) => {
        if (crash.dead) throw new Error('killed')
        const isHere = crash.armed && crash.effect === name
        if (isHere && crash.when === 'before') crash.dead = true
        if (crash.dead) throw new Error('killed')
        const result = await call(...args)
        if (isHere) crash.dead = true
        if (crash.dead) throw new Error('killed')
        return result
      }
    },
  })

interface Crash {
  effect: Effect
  when: 'before' | 'after'
  armed: boolean
  dead: boolean
}

const path = '/api/projects/doomed'

/** A project with a session that lives, one that is deleted, a base pack and settings. */
const fill = async (backend: TestBackend): Promise<string[]> => {
  await backend.call('/api/projects', { body: { name: 'doomed', settings: { turnMinutes: 5 } } })
  const make = async () => (await backend.call<{ id: string }>(`${path}/sessions`, { body: {} })).body.id
  const [live, deleted] = [await make(), await make()]
  await backend.spec(live)
  await backend.call(`${path}/sessions/${deleted}`, { method: 'DELETE' })
  await backend.parts.store.makeBase('doomed', { key: 'key', scope: 'base_doomed' })
  const blobs = join(backend.directory, 'blobs', 'base_doomed')
  await mkdir(blobs, { recursive: true })
  await writeFile(join(blobs, 'part'), 'bytes')
  return [live, deleted]
}

const remove = (backend: TestBackend) =>
  backend.call<ProjectDeletion>(`${path}?confirm=doomed`, { method: 'DELETE' })

/** As runners do that are told to stop. */
const endRunners = async ({ runtime }: TestBackend) => {
  for (const { session, state } of await runtime.list())
    if (state === 'running') runtime.end(session, 'exited')
}

const gone = (backend: TestBackend) =>
  eventually('the project is gone', async () => {
    await endRunners(backend)
    return (await backend.parts.store.projectState('doomed')) === undefined
  })

describe('[P162] the deletion of a project', { timeout: 60_000 }, () => {
  it('hides it at once, tells how far it is, and leaves nothing', () =>
    withBackend(async (backend) => {
      const sessions = await fill(backend)
      const { status, body } = await remove(backend)
      expect([status, body]).toMatchObject([202, { project: 'doomed', sessions: { total: 2 } }])
      expect((await backend.call(path)).body).toMatchObject({ code: 'project_not_found' })
      expect((await backend.call('/api/projects', { body: { name: 'doomed' } })).body).toMatchObject({
        code: 'project_exists',
      })
      await gone(backend)
      expect((await backend.call(`${path}/deletion`)).body).toMatchObject({ code: 'project_not_found' })
      expect(await backend.parts.store.existing(sessions)).toEqual(new Set())
      expect(await readdir(join(backend.directory, 'blobs'))).not.toContain('base_doomed')
      expect((await backend.call('/api/projects', { body: { name: 'doomed' } })).status).toBe(201)
      expect((await backend.call<{ items: unknown[] }>(`${path}/sessions`)).body.items).toEqual([])
    }))

  it('goes on with one project while what another one has can’t be removed', () => {
    let isStuck = true
    let tried = 0
    const wrapped = ({ runtime }: BackendParts) => ({
      runtime: new Proxy(runtime, {
        get: (object, name) => {
          const value = Reflect.get(object, name)
          if (typeof value !== 'function') return value
          if (name !== 'removeProject') return value.bind(object)
          return async (project: string) => {
            if (isStuck && project === 'a-stuck') throw new Error(`stuck ${++tried}`)
          }
        },
      }),
    })
    return withBackend(async (backend) => {
      await backend.restart(wrapped)
      for (const name of ['a-stuck', 'doomed']) {
        await backend.call('/api/projects', { body: { name } })
        await backend.call(`/api/projects/${name}?confirm=${name}`, { method: 'DELETE' })
      }
      await gone(backend)
      const told = await backend.call<ProjectDeletion>('/api/projects/a-stuck/deletion')
      expect(told.body).toMatchObject({ project: 'a-stuck', step: 'runtime' })
      await eventually('it is tried again', () => tried > 1)
      expect(
        backend.log.some((line) => line.includes('could not be settled') && line.includes('a-stuck')),
      ).toBe(true)
      isStuck = false
      await eventually(
        'it is gone too',
        async () => (await backend.parts.store.projectState('a-stuck')) === undefined,
      )
    })
  })

  it('leaves no secret, key, member or rule, and keeps what the audit says', () =>
    withBackend(async (backend) => {
      await fill(backend)
      const secret = { kind: 'git-host', value: 'CANARY-of-the-deleted' }
      await backend.call(`${path}/secrets/github`, { method: 'PUT', body: secret })
      await backend.call(`${path}/members/user/ada`, { method: 'PUT', body: { role: 'admin' } })
      const key = await backend.call<{ id: string; secret: string }>(`${path}/keys`, { body: { name: 'ci' } })
      const other = '/api/projects/default'
      await backend.call(`${other}/members/key/${key.body.id}`, { method: 'PUT', body: { role: 'viewer' } })
      const token = key.body.secret
      expect((await backend.call('/api/me', { token })).status).toBe(200)
      await remove(backend)
      expect((await backend.call(path, { token })).body).toMatchObject({ code: 'project_not_found' })
      await gone(backend)
      expect((await backend.call('/api/me', { token })).status).toBe(401)
      const { store } = backend.parts
      expect(await store.rolesOf([{ kind: 'user', id: 'ada' }])).toEqual(new Map())
      expect((await backend.call('/api/projects', { body: { name: 'doomed' } })).status).toBe(201)
      expect(await store.secrets('doomed')).toEqual([])
      expect(await store.keys('doomed')).toEqual([])
      expect((await store.members('doomed')).map(({ id }) => id)).not.toContain('ada')
      expect((await backend.call<{ own: object }>(`${path}/settings`)).body.own).toEqual({})
      const entries = (await store.auditList({ project: 'doomed' }, { limit: 200 })).items
      expect(entries.map(({ action }) => action)).toEqual(
        expect.arrayContaining(['createKey', 'setMember', 'deleteProject']),
      )
    }))

  it('asks for the name again, and spares the project default', () =>
    withBackend(async (backend) => {
      await backend.call('/api/projects', { body: { name: 'doomed' } })
      const wrong = await backend.call(`${path}?confirm=dooomed`, { method: 'DELETE' })
      expect(wrong.body).toMatchObject({ code: 'invalid_input' })
      const fixed = await backend.call('/api/projects/default?confirm=default', { method: 'DELETE' })
      expect(fixed.body).toMatchObject({ code: 'project_protected' })
    }))

  for (const effect of effects)
    for (const when of ['before', 'after'] as const)
      it(`goes on after a crash ${when} ${effect}`, () => {
        const crash: Crash = { effect, when, armed: false, dead: false }
        const wrapped = ({ store, blobs, runtime }: BackendParts) => {
          return { store: dying(store, crash), blobs: dying(blobs, crash), runtime: dying(runtime, crash) }
        }
        return withBackend(async (backend) => {
          const sessions = await fill(backend)
          await backend.restart(wrapped)
          crash.armed = true
          await remove(backend)
          await eventually('the crash', async () => {
            await endRunners(backend)
            return crash.dead
          })
          Object.assign(crash, { armed: false, dead: false })
          await backend.restart()
          await gone(backend)
          expect(await backend.parts.store.existing(sessions)).toEqual(new Set())
          expect(await backend.parts.store.existingBases(['base_doomed'])).toEqual(new Set())
          expect(await readdir(join(backend.directory, 'blobs'))).not.toContain('base_doomed')
        })
      })
})

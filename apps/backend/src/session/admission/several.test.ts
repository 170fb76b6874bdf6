import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeId } from '@berth/contract'
import { systemClock } from '@berth/runtime'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { seedProject } from '../../backend.ts'
import { createDirectoryBlobs } from '../../blobs/directory.ts'
import { createSqliteStore } from '../../store/sqlite/sqlite-store.ts'
import { eventually } from '../../test-backend.ts'
import { Leases } from '../lease.ts'
import { SessionService } from '../service.ts'
import { Admission } from './admission.ts'
import { unlimited } from './capacity.ts'

const log = pino({ level: 'silent' })
const room = 5
const count = 20
const backends = 4

it('[P40] several backends together admit no more than there is room for, and tell each one once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-admission-'))
  const store = await createSqliteStore({ file: join(directory, 'berth.db') })
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
  const now = () => Date.now()
  const blobs = await createDirectoryBlobs({ directory: join(directory, 'blobs') })
  const service = new SessionService({ store, blobs, now, random, wake: () => undefined })
  await seedProject(store, now())
  const sessions = Array.from({ length: count }, (_, index) => makeId('session', now() + index, random(10)))
  for (const session of sessions)
    await service.run({
      session,
      command: {
        ...{ kind: 'create', actor: { kind: 'user', id: 'ada' }, session, project: 'default', title: 'T' },
        ...{ labels: {}, repositories: [], settings: {}, model: 'scripted' },
      },
    })
  const launched: string[] = []
  const told: string[] = []
  store.watch(({ session, lines }) => {
    const text = lines?.map(({ json }) => json).join('') ?? ''
    if (text.includes('"generation.started"')) launched.push(session)
    if (text.includes('"session.waits"')) told.push(session)
  })
  const admissions = Array.from(
    { length: backends },
    (_, index) =>
      new Admission({
        ...{ store, service, clock: systemClock, log },
        leases: new Leases({ store, clock: systemClock, log, holder: `b${index}` }),
        ...{ capacity: { ...unlimited, sessions: room }, runtime: 'fake', admitted: () => undefined },
      }),
  )
  await Promise.all(admissions.flatMap((admission) => [admission.ask(), admission.ask(), admission.ask()]))
  await eventually('all to be told', () => launched.length + told.length >= count)
  await Promise.all(admissions.map((admission) => admission.ask()))
  expect(launched).toEqual(sessions.slice(0, room))
  expect(told.sort()).toEqual(sessions.slice(room))
  await Promise.all(admissions.map((admission) => admission.close()))
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

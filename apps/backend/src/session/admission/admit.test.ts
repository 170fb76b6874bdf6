import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Applicant, admit, type Occupant, type Room } from './admit.ts'
import { capacityOf, unlimited } from './capacity.ts'
import { fairOrder } from './fair-order.ts'
import type { Amounts } from './resource-quotas.ts'

const name = fc.constantFrom('a', 'b', 'c', 'd')

const amounts: fc.Arbitrary<Amounts> = fc.record({ memoryMiB: fc.nat(20), milliCpus: fc.nat(20) })

const occupants: fc.Arbitrary<Occupant[]> = fc.array(
  fc.record({
    project: name,
    owner: name,
    memoryBytes: fc.option(fc.nat(300), { nil: undefined }),
    wanted: amounts,
  }),
  { maxLength: 20 },
)

const applicants: fc.Arbitrary<Applicant[]> = fc
  .array(fc.record({ project: name, owner: name, since: fc.nat(50), wanted: amounts }), {
    maxLength: 40,
  })
  .map((items) => items.map((item, index) => ({ ...item, session: `s${index}` })))

const rooms: fc.Arbitrary<Room> = fc.record({
  sessions: fc.integer({ min: 0, max: 40 }),
  memoryBytes: fc.nat(5000),
  reservedBytes: fc.constant(100),
  projects: fc.dictionary(name, fc.integer({ min: 1, max: 8 })).map((caps) => new Map(Object.entries(caps))),
  quotas: fc
    .dictionary(
      name,
      fc.record(
        { memoryMiB: fc.integer({ min: 1, max: 60 }), milliCpus: fc.integer({ min: 1, max: 60 }) },
        { requiredKeys: [] },
      ),
    )
    .map((caps) => new Map(Object.entries(caps))),
})

const each = (check: (live: Occupant[], waiting: Applicant[], room: Room) => void): void =>
  fc.assert(fc.property(occupants, applicants, rooms, check), { numRuns: 500 })

const countBy = (items: { project: string }[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { project } of items) counts.set(project, (counts.get(project) ?? 0) + 1)
  return counts
}

const memoryOf = (live: Occupant[]) => live.reduce((sum, item) => sum + (item.memoryBytes ?? 100), 0)

describe('[P40] admission', () => {
  it('admits or keeps waiting each one, once, with places from 1 on', () => {
    each((live, waiting, room) => {
      const verdict = admit(live, waiting, room)
      const told = [...verdict.admitted, ...verdict.waiting].map(({ session }) => session)
      expect(told.sort()).toEqual(waiting.map(({ session }) => session).sort())
      expect(verdict.waiting.map(({ position }) => position)).toEqual(verdict.waiting.map((_, i) => i + 1))
    })
  })

  it('never admits over a limit: of sessions, of a project, of memory', () => {
    each((live, waiting, room) => {
      const { admitted } = admit(live, waiting, room)
      if (admitted.length === 0) return
      expect(live.length + admitted.length).toBeLessThanOrEqual(room.sessions)
      const before = countBy(live)
      for (const [project, count] of countBy(admitted))
        expect((before.get(project) ?? 0) + count).toBeLessThanOrEqual(room.projects.get(project) ?? Infinity)
      if (live.length + admitted.length > 1)
        expect(memoryOf(live) + admitted.length * room.reservedBytes).toBeLessThanOrEqual(room.memoryBytes)
    })
  })

  it('lets nobody wait for what there is', () => {
    each((live, waiting, room) => {
      const verdict = admit(live, waiting, room)
      const sessions = live.length + verdict.admitted.length
      const after = countBy([...live, ...verdict.admitted])
      const memory = memoryOf(live) + verdict.admitted.length * room.reservedBytes
      for (const { reason, project } of verdict.waiting) {
        if (reason === 'sessions') expect(sessions).toBeGreaterThanOrEqual(room.sessions)
        if (reason === 'project-sessions')
          expect(after.get(project) ?? 0).toBeGreaterThanOrEqual(room.projects.get(project) ?? Infinity)
        if (reason === 'memory') expect(memory + room.reservedBytes).toBeGreaterThan(room.memoryBytes)
      }
    })
  })

  it('gives each place to a project with the fewest live sessions of those that may have it', () => {
    each((live, waiting, room) => {
      const verdict = admit(live, waiting, { ...room, quotas: new Map() })
      const counts = countBy(live)
      const left = [...verdict.admitted, ...verdict.waiting]
      for (const { project } of verdict.admitted) {
        const others = left.filter(
          (item) => (counts.get(item.project) ?? 0) < (room.projects.get(item.project) ?? Infinity),
        )
        const fewest = Math.min(...others.map((item) => counts.get(item.project) ?? 0))
        expect(counts.get(project) ?? 0).toBe(fewest)
        counts.set(project, (counts.get(project) ?? 0) + 1)
        left.shift()
      }
    })
  })

  it('lets an owner’s older session go first, whatever the order in which they are told', () => {
    each((live, waiting, room) => {
      const order = [...fairOrder(live, waiting)]
      expect([...fairOrder([...live].reverse(), [...waiting].reverse())]).toEqual(order)
      const last = new Map<string, number>()
      for (const { project, owner, since } of order) {
        expect(since).toBeGreaterThanOrEqual(last.get(`${project}/${owner}`) ?? 0)
        last.set(`${project}/${owner}`, since)
      }
      expect(admit(live, waiting, room).admitted.every((item) => waiting.includes(item))).toBe(true)
    })
  })

  it.each([
    ['memoryMiB', 'project-memory'],
    ['milliCpus', 'project-cpus'],
  ] as const)(
    '[P163] [P164] never gives a project more %s than its quota, nor lets anybody wait for what is left',
    (resource, why) => {
      each((live, waiting, room) => {
        const verdict = admit(live, waiting, room)
        for (const [project, { [resource]: quota = Infinity }] of room.quotas) {
          const of = (items: { project: string; wanted: Amounts }[]) =>
            items.reduce((sum, item) => sum + (item.project === project ? item.wanted[resource] : 0), 0)
          const given = of(verdict.admitted)
          const after = of(live) + given
          if (given > 0) expect(after).toBeLessThanOrEqual(quota)
          const [first] = verdict.waiting.filter((item) => item.project === project && item.reason === why)
          if (first !== undefined) expect(after + first.wanted[resource]).toBeGreaterThan(quota)
        }
        for (const { project, reason } of verdict.waiting)
          expect(reason !== why || room.quotas.get(project)?.[resource] !== undefined).toBe(true)
      })
    },
  )

  it('[P163] keeps what becomes free for a large session, unless that can never fit: then it waits behind all', () => {
    const waiting = [8, 2].map((memoryMiB, index) => ({
      ...{ project: 'p', owner: 'ada', session: `s${index}`, wanted: { memoryMiB, milliCpus: 0 } },
      since: index,
    }))
    const live = [{ project: 'p', owner: 'ada', memoryBytes: 0, wanted: { memoryMiB: 3, milliCpus: 0 } }]
    const verdict = (memoryMiB: number) =>
      admit(live, waiting, { ...unlimited, projects: new Map(), quotas: new Map([['p', { memoryMiB }]]) })
    expect(verdict(10).waiting).toMatchObject([
      { session: 's0', reason: 'project-memory', position: 1 },
      { session: 's1', reason: 'project-memory', position: 2 },
    ])
    expect(verdict(7).admitted).toMatchObject([{ session: 's1' }])
    expect(verdict(7).waiting).toMatchObject([{ session: 's0', reason: 'project-memory', position: 1 }])
    expect(verdict(4).waiting).toMatchObject([
      { session: 's1', reason: 'project-memory', position: 1 },
      { session: 's0', reason: 'project-memory', position: 2 },
    ])
  })

  it('takes turns over the owners of a project', () => {
    const waiting = ['ada', 'ada', 'ada', 'bob', 'eve'].map((owner, index) => ({
      ...{ project: 'p', owner, session: `s${index}` },
      since: index,
    }))
    const live = [{ project: 'p', owner: 'bob' }]
    expect([...fairOrder(live, waiting)].map(({ owner }) => owner)).toEqual([
      ...['ada', 'eve', 'ada', 'bob', 'ada'],
    ])
  })
})

describe('capacity', () => {
  const machine = { memoryBytes: 8 * 1024 ** 3, cores: 2 }

  it('follows from the machine, unless it is set', () => {
    expect(capacityOf({}, machine)).toMatchObject({ sessions: 16, memoryBytes: 6 * 1024 ** 3 })
    expect(capacityOf({}, { ...machine, memoryBytes: 64 * 1024 ** 3 }).sessions).toBe(32)
    expect(capacityOf({ sessions: 3, memoryMiB: 1024 }, machine)).toMatchObject({
      sessions: 3,
      memoryBytes: 1024 ** 3,
    })
    expect(capacityOf({}, { memoryBytes: 256 * 1024 ** 2, cores: 1 }).sessions).toBe(1)
  })
})

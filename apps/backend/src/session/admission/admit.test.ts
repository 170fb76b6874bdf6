import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admit, type Occupant, type Room } from './admit.ts'
import { capacityOf, unlimited } from './capacity.ts'
import { type Applicant, fairOrder } from './fair-order.ts'

const name = fc.constantFrom('a', 'b', 'c', 'd')

const occupants: fc.Arbitrary<Occupant[]> = fc.array(
  fc.record({
    project: name,
    owner: name,
    memoryBytes: fc.option(fc.nat(300), { nil: undefined }),
    wantedMiB: fc.nat(20),
  }),
  { maxLength: 20 },
)

const applicants: fc.Arbitrary<Applicant[]> = fc
  .array(fc.record({ project: name, owner: name, since: fc.nat(50), wantedMiB: fc.nat(20) }), {
    maxLength: 40,
  })
  .map((items) => items.map((item, index) => ({ ...item, session: `s${index}` })))

const rooms: fc.Arbitrary<Room> = fc.record({
  sessions: fc.integer({ min: 0, max: 40 }),
  memoryBytes: fc.nat(5000),
  reservedBytes: fc.constant(100),
  projects: fc.dictionary(name, fc.integer({ min: 1, max: 8 })).map((caps) => new Map(Object.entries(caps))),
  quotasMiB: fc
    .dictionary(name, fc.integer({ min: 1, max: 60 }))
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
      const verdict = admit(live, waiting, { ...room, quotasMiB: new Map() })
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

  it('[P163] never gives a project more memory than its quota, and lets nobody wait for what is left of it', () => {
    each((live, waiting, room) => {
      const verdict = admit(live, waiting, room)
      for (const [project, quota] of room.quotasMiB) {
        const of = (items: { project: string; wantedMiB?: number }[]) =>
          items.reduce((sum, item) => sum + (item.project === project ? (item.wantedMiB ?? 0) : 0), 0)
        const given = of(verdict.admitted)
        const after = of(live) + given
        if (given > 0) expect(after).toBeLessThanOrEqual(quota)
        const [first] = verdict.waiting.filter(
          (item) => item.project === project && item.reason === 'project-memory',
        )
        if (first !== undefined) expect(after + (first.wantedMiB ?? 0)).toBeGreaterThan(quota)
      }
      for (const { project, reason } of verdict.waiting)
        expect(reason !== 'project-memory' || room.quotasMiB.has(project)).toBe(true)
    })
  })

  it('[P163] keeps what becomes free for a large session, unless that can never fit', () => {
    const waiting = [8, 2].map((wantedMiB, index) => ({
      ...{ project: 'p', owner: 'ada', session: `s${index}`, wantedMiB },
      since: index,
    }))
    const live = [{ project: 'p', owner: 'ada', memoryBytes: 0, wantedMiB: 3 }]
    const verdict = (quota: number) =>
      admit(live, waiting, { ...unlimited, projects: new Map(), quotasMiB: new Map([['p', quota]]) })
    expect(verdict(10).waiting).toMatchObject([
      { session: 's0', reason: 'project-memory', position: 1 },
      { session: 's1', reason: 'project-memory', position: 2 },
    ])
    expect(verdict(7).admitted).toMatchObject([{ session: 's1' }])
    expect(verdict(7).waiting).toMatchObject([{ session: 's0', reason: 'project-memory' }])
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

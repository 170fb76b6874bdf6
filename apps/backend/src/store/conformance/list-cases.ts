import { expect, it } from 'vitest'
import type { SessionFilter } from '../port.ts'
import { type Bench, codeOf, launch, newId, remove, startOfTime, summaryOf } from './harness.ts'

const titles = (items: string[]) => items.map((item) => summaryOf(item).title)

export const listCases = (bench: () => Bench) => {
  const list = async (filter: Partial<SessionFilter>, project = bench().project) =>
    titles((await bench().store.list(project, { deleted: false, ...filter }, { limit: 50 })).items)

  it('lists the sessions of a project, newest first', async () => {
    await bench().store.createProject({ name: 'q', displayName: 'Q', description: '', settings: {}, now: 1 })
    for (const [index, project] of [bench().project, 'q', bench().project].entries())
      await bench().session({ title: `${index}`, project, now: startOfTime + index })
    expect(await list({})).toEqual(['2', '0'])
    expect(await list({}, 'q')).toEqual(['1'])
    expect(await list({}, 'none')).toEqual([])
  })

  it('filters by phase, owner and deletion', async () => {
    const a = await bench().session({ title: 'a', owner: 'ada', now: startOfTime + 1 })
    const b = await bench().session({ title: 'b', owner: 'bob', now: startOfTime + 2 })
    await bench().session({ title: 'c', owner: 'bob', now: startOfTime + 3 })
    await bench().append(a, launch)
    await bench().append(b, remove(startOfTime + 1000))
    expect(await list({ phases: ['starting'] })).toEqual(['a'])
    expect(await list({ phases: ['pending', 'starting'] })).toEqual(['c', 'a'])
    expect(await list({ owner: 'bob' })).toEqual(['c'])
    expect(await list({ owner: 'bob', deleted: true })).toEqual(['b'])
    expect(await list({ owner: 'ada', phases: ['idle'] })).toEqual([])
    await bench().append(b, { kind: 'restore', actor: { kind: 'user', id: 'bob' } })
    expect(await list({ owner: 'bob' })).toEqual(['c', 'b'])
  })

  it('filters by labels, as they are now', async () => {
    const a = await bench().session({ title: 'a', labels: { team: 'red', env: 'x' }, now: startOfTime + 1 })
    await bench().session({ title: 'b', labels: { team: 'blue' }, now: startOfTime + 2 })
    expect(await list({ labels: [{ key: 'team' }] })).toEqual(['b', 'a'])
    expect(await list({ labels: [{ key: 'team', value: 'red' }, { key: 'env' }] })).toEqual(['a'])
    expect(
      await list({
        labels: [
          { key: 'team', value: 'red' },
          { key: 'team', value: 'blue' },
        ],
      }),
    ).toEqual([])
    await bench().append(a, {
      kind: 'update',
      actor: { kind: 'user', id: 'ada' },
      labels: { team: 'blue' },
      expectedVersion: 1,
    })
    expect(await list({ labels: [{ key: 'team', value: 'blue' }] })).toEqual(['b', 'a'])
    expect(await list({ labels: [{ key: 'env' }] })).toEqual([])
  })

  it.each([
    ['straße', 'Die STRASSE', true],
    ['ПРИВЕТ', 'Ну привет', true],
    ['οδος', 'ΟΔΟΣ', true],
    ['100%', '100% done', true],
    ['100%', '1000 done', false],
    ['a_c', 'abc', false],
    ['a_c', 'A_C', true],
    ["o'b\\", "O'B\\c", true],
    ['日本', 'これは日本語', true],
  ])('finds %j in %j: %s', async (text, title, found) => {
    await bench().session({ title })
    expect(await list({ text })).toEqual(found ? [title] : [])
  })

  it('finds a renamed session by its new title only', async () => {
    const session = await bench().session({ title: 'before' })
    const update = { title: 'after', expectedVersion: 1, actor: { kind: 'user', id: 'ada' } } as const
    await bench().append(session, { kind: 'update', ...update })
    expect(await list({ text: 'BEFORE' })).toEqual([])
    expect(await list({ text: 'AFTER' })).toEqual(['after'])
  })

  it('pages through everything once while sessions are created, also of one millisecond', async () => {
    const made = await Promise.all(
      Array.from({ length: 25 }, (_, index) =>
        bench().session({ title: `${index}`, now: startOfTime + Math.floor(index / 10) }),
      ),
    )
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await bench().store.list(bench().project, { deleted: false }, { limit: 4, cursor })
      seen.push(...page.items.map((item) => summaryOf(item).id))
      cursor = page.next
      await bench().session({ title: 'new', now: startOfTime + 1000 })
    } while (cursor !== undefined)
    expect(seen).toHaveLength(25)
    expect(new Set(seen)).toEqual(new Set(made))
  })

  it('says that there is a next page only when there is one', async () => {
    for (let i = 0; i < 4; i++) await bench().session({ now: startOfTime + i })
    const first = await bench().store.list(bench().project, { deleted: false }, { limit: 2 })
    const second = await bench().store.list(
      bench().project,
      { deleted: false },
      { limit: 2, cursor: first.next },
    )
    expect(second.items).toHaveLength(2)
    expect(second.next).toBeUndefined()
  })

  it.each(['', 'x', 'bm90IGpzb24', Buffer.from('[1]').toString('base64url')])(
    'refuses the cursor %j',
    async (cursor) => {
      expect(
        await codeOf(bench().store.list(bench().project, { deleted: false }, { limit: 2, cursor })),
      ).toBe('invalid_cursor')
      if (cursor !== '')
        expect(await codeOf(bench().store.projects({ limit: 2, cursor }))).toBe('invalid_cursor')
    },
  )

  it('knows which sessions exist', async () => {
    const session = await bench().session()
    expect(await bench().store.existing([session, newId('session')])).toEqual(new Set([session]))
    expect(await bench().store.existing([])).toEqual(new Set())
  })
}

import { expect, it } from 'vitest'
import { type Bench, codeOf, newId, person, remove, startOfTime } from './harness.ts'

const key = 'a'.repeat(40)
const part = { blob: 'b'.repeat(64), size: 3, mediaType: 'application/octet-stream' }
const day = 24 * 3600_000

export const baseCases = (bench: () => Bench) => {
  const drop = (now: number) => bench().store.dropBases({ now, before: now - day })

  it('makes a base once for a project and key; the first parts count', async () => {
    const { store, project } = bench()
    const [one, two] = [await bench().session(), await bench().session()]
    expect(await store.base(project, key)).toBeUndefined()
    expect(await store.completeBase(project, key, [part])).toBeUndefined()
    expect(await store.useBase(one, { key, scope: 'base_1' })).toEqual({ scope: 'base_1', parts: undefined })
    expect(await store.useBase(two, { key, scope: 'base_2' })).toEqual({ scope: 'base_1', parts: undefined })
    const whole = { scope: 'base_1', parts: [part] }
    expect(await store.completeBase(project, key, [part])).toEqual(whole)
    expect(await store.completeBase(project, key, [part, part])).toEqual(whole)
    expect(await store.base(project, key)).toEqual(whole)
    expect(await store.base('another', key)).toBeUndefined()
    expect(await store.existingBases(['base_1', 'base_2'])).toEqual(new Set(['base_1']))
    expect(await codeOf(store.useBase(newId('session'), { key, scope: 'base_3' }))).toBe('session_not_found')
  })

  it('makes one that nobody needs yet, and drops it unless somebody does in time', async () => {
    const { store, project } = bench()
    const empty = { scope: 'base_8', parts: undefined }
    expect(await store.makeBase(project, { key, scope: 'base_8' })).toEqual(empty)
    expect(await store.makeBase(project, { key, scope: 'base_9' })).toEqual(empty)
    expect(await store.completeBase(project, key, [part])).toEqual({ scope: 'base_8', parts: [part] })
    expect(await drop(startOfTime)).toEqual([])
    expect(await drop(startOfTime + day + 1)).toEqual(['base_8'])
    await store.makeBase(project, { key, scope: 'base_10' })
    await drop(startOfTime)
    await store.useBase(await bench().session(), { key, scope: 'base_11' })
    expect(await drop(startOfTime + 9 * day)).toEqual([])
    expect(await store.existingBases(['base_10'])).toEqual(new Set(['base_10']))
  })

  it('drops a base a while after the last session that needed it was purged', async () => {
    const { store, project } = bench()
    const [one, two] = [await bench().session(), await bench().session()]
    await store.useBase(one, { key, scope: 'base_4' })
    await store.shareBases(one, two)
    for (const session of [one, two]) {
      expect(await drop(startOfTime)).toEqual([])
      await bench().append(session, remove(startOfTime))
      await store.purge(session, startOfTime)
    }
    expect(await drop(startOfTime)).toEqual([])
    expect(await drop(startOfTime + day)).toEqual([])
    expect(await drop(startOfTime + day + 1)).toEqual(['base_4'])
    expect(await store.base(project, key)).toBeUndefined()
    expect(await store.existingBases(['base_4'])).toEqual(new Set())
  })

  it('keeps a base that is needed again in time', async () => {
    const { store } = bench()
    const [one, two] = [await bench().session(), await bench().session()]
    await store.useBase(one, { key, scope: 'base_5' })
    await bench().append(one, remove(startOfTime))
    await store.purge(one, startOfTime)
    await drop(startOfTime)
    await store.useBase(two, { key, scope: 'base_6' })
    expect(await drop(startOfTime + 9 * day)).toEqual([])
    expect(await store.existingBases(['base_5'])).toEqual(new Set(['base_5']))
  })

  it('forgets the bases of a project with it', async () => {
    const { store, project } = bench()
    const session = await bench().session()
    await store.useBase(session, { key, scope: 'base_7' })
    await bench().append(session, remove(startOfTime))
    await store.purge(session, startOfTime)
    await store.beginDeletion(project, { by: person, now: startOfTime })
    await store.finishDeletion(project)
    expect(await store.existingBases(['base_7'])).toEqual(new Set())
  })
}

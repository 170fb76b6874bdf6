import { type LogLine, limits } from '@berth/contract'
import { expect, it } from 'vitest'
import { type Bench, codeOf, end, launch, newId, remove, startOfTime } from './harness.ts'

const at = new Date(startOfTime).toISOString()
const line = (text: string, source: LogLine['source'] = 'runner'): LogLine => ({ at, source, text })

export const logCases = (bench: () => Bench) => {
  const texts = async (...[session, range]: Parameters<Bench['store']['logs']>) =>
    (await bench().store.logs(session, range)).map(({ text }) => text)

  it('keeps lines in their order, across batches and generations', async () => {
    const session = await bench().liveSession()
    const warning = { ...line('one'), level: 'warn' } as const
    await bench().store.addLogs(session, 1, [warning, line('two', 'agent')])
    await bench().append(session, end(1))
    await bench().append(session, launch)
    await bench().store.addLogs(session, 2, [line('three')])
    expect(await bench().store.logs(session, { limit: 10 })).toEqual([
      { n: 1, generation: 1, ...warning },
      { n: 2, generation: 1, ...line('two', 'agent') },
      { n: 3, generation: 2, ...line('three') },
    ])
  })

  it('reads the newest, or what comes after a place, of one source or both', async () => {
    const session = await bench().liveSession()
    const lines = ['a', 'b', 'c', 'd', 'e'].map((text, i) => line(text, i % 2 === 0 ? 'runner' : 'agent'))
    await bench().store.addLogs(session, 1, lines)
    expect(await texts(session, { limit: 2 })).toEqual(['d', 'e'])
    expect(await texts(session, { after: 0, limit: 2 })).toEqual(['a', 'b'])
    expect(await texts(session, { after: 3, limit: 10 })).toEqual(['d', 'e'])
    expect(await texts(session, { source: 'agent', limit: 1 })).toEqual(['d'])
    expect(await texts(session, { source: 'agent', after: 2, limit: 5 })).toEqual(['d'])
    expect(await texts(session, { after: 5, limit: 5 })).toEqual([])
    expect(await texts(newId('session'), { limit: 5 })).toEqual([])
  })

  it('keeps only the newest lines of a source, by number and by size', async () => {
    const [many, large, other] = [
      await bench().liveSession(),
      await bench().liveSession(),
      await bench().liveSession(),
    ]
    await bench().store.addLogs(other, 1, [line('stays')])
    await bench().store.addLogs(many, 1, [line('of the agent', 'agent')])
    const batch = limits.logLinesPerBatch
    for (let i = 0; i < limits.logLines + 2 * batch; i += batch)
      await bench().store.addLogs(
        many,
        1,
        Array.from({ length: batch }, (_, j) => line(`line ${i + j + 1}`)),
      )
    const kept = await bench().store.logs(many, { after: 0, limit: limits.logLines * 2 })
    expect(kept).toHaveLength(limits.logLines + 1)
    expect(kept[0]).toMatchObject({ n: 1, text: 'of the agent' })
    expect(kept[1]).toMatchObject({ n: 2 * batch + 2, text: `line ${2 * batch + 1}` })
    // Two bytes a character: the limit counts bytes.
    const text = 'ß'.repeat(limits.logLine)
    for (let i = 0; i < 5; i++)
      await bench().store.addLogs(
        large,
        1,
        Array.from({ length: batch }, () => line(text, 'agent')),
      )
    const lines = await bench().store.logs(large, { after: 0, limit: limits.logLines })
    expect(lines).toHaveLength(Math.floor(limits.logBytes / (2 * limits.logLine)))
    expect(lines.at(-1)).toMatchObject({ n: 5 * batch })
    expect(await texts(other, { limit: 5 })).toEqual(['stays'])
  })

  it('takes lines of a live generation only, and removes them with the session', async () => {
    const session = await bench().liveSession()
    await bench().store.addLogs(session, 1, [line('one')])
    expect(await codeOf(bench().store.addLogs(session, 2, [line('x')]))).toBe('fenced')
    expect(await codeOf(bench().store.addLogs(newId('session'), 1, [line('x')]))).toBe('session_not_found')
    await bench().append(session, remove())
    await bench().append(session, end(1))
    expect(await codeOf(bench().store.addLogs(session, 1, [line('x')]))).toBe('fenced')
    expect(await texts(session, { limit: 5 })).toEqual(['one'])
    await bench().store.purge(session, startOfTime)
    expect(await bench().store.logs(session, { limit: 5 })).toEqual([])
  })
}

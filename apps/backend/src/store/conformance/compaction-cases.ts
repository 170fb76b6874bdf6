import {
  emptyTranscript,
  foldTranscript,
  parseEvent,
  type SessionState,
  type Transcript,
} from '@berth/contract'
import { SessionLog, sessionRolls } from '@berth/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Line, operationMs } from '../port.ts'
import { type Bench, blockFacts, newId, person, startOfTime } from './harness.ts'

export const compactionCases = (bench: () => Bench) => {
  it('deletes deltas of completed blocks, no others, a limited number at a time', async () => {
    const session = await bench().liveSession()
    const texts = ['a', 'b', 'c', 'd']
    await bench().facts(session, 3, [
      ...blockFacts(newId('block'), texts, 'completed'),
      ...blockFacts(newId('block'), texts, 'completed'),
      ...blockFacts(newId('block'), texts, 'aborted'),
      ...blockFacts(newId('block'), texts, 'open'),
    ])
    const before = await bench().events(session)
    expect(await bench().store.compact({ now: startOfTime, limit: 3 })).toBe(3)
    expect(await bench().store.compact({ now: startOfTime, limit: 3 })).toBe(3)
    expect(await bench().store.compact({ now: startOfTime, limit: 3 })).toBe(2)
    expect(await bench().store.compact({ now: startOfTime, limit: 3 })).toBe(0)
    const after = await bench().events(session)
    expect(after).toHaveLength(before.length - 8)
    expect(before).toEqual(expect.arrayContaining(after))
    await bench().facts(session, 26, [])
    expect(after.filter(({ json }) => json.includes('"block.delta"'))).toHaveLength(8)
  })

  it('goes on with seq after the last event, also when that one was compacted', async () => {
    const session = await bench().liveSession()
    const { state } = await bench().facts(session, 3, blockFacts(newId('block'), ['a'], 'completed'))
    await bench().store.compact({ now: startOfTime, limit: 100 })
    const next = await bench().facts(session, 6, blockFacts(newId('block'), ['a'], 'open'))
    expect(next.first).toBe(state.summary.seq + 1)
  })

  it('deletes the events of operations some time after their answer, whoever gave it', async () => {
    const session = await bench().liveSession()
    const ids = [newId('operation'), newId('operation'), newId('operation'), newId('operation')]
    for (const operation of ids)
      await bench().append(session, {
        kind: 'operate',
        actor: person,
        operation,
        request: { kind: 'list', path: 'somewhere' },
      })
    const before = await bench().events(session)
    const [done = '', failed = '', cancelled = '', open = ''] = ids
    const error = { code: 'failed', message: 'No.' } as const
    await bench().facts(session, 3, [
      {
        type: 'operation.completed',
        data: { operation: done, result: { kind: 'list', entries: [], more: false } },
      },
      { type: 'operation.failed', data: { operation: failed, error } },
    ])
    const { message } = error
    await bench().append(session, {
      kind: 'cancel-operation',
      actor: { kind: 'backend', id: 'backend' },
      operation: cancelled,
      message,
    })
    const due = startOfTime + operationMs
    expect(await bench().store.compact({ now: due - 1, limit: 100 })).toBe(0)
    expect(await bench().store.compact({ now: due, limit: 5 })).toBe(5)
    expect(await bench().store.compact({ now: due, limit: 5 })).toBe(1)
    const left = await bench().events(session)
    expect(left).toEqual(before.filter(({ json }) => !ids.slice(0, 3).some((id) => json.includes(id))))
    // An answer that comes much too late goes too.
    await bench().facts(session, 5, [{ type: 'operation.failed', data: { operation: cancelled, error } }])
    await bench().facts(session, 6, [{ type: 'operation.failed', data: { operation: open, error } }])
    expect(await bench().store.compact({ now: due, limit: 100 })).toBe(3)
  })

  it('leaves each reader with the transcript of a full replay, wherever it stood', async () => {
    let seed = 1000
    const lives = fc.tuple(sessionRolls(80), fc.array(fc.nat(100), { minLength: 1, maxLength: 6 }))
    await fc.assert(
      fc.asyncProperty(lives, async ([rolls, cuts]) => {
        const log = new SessionLog({ project: bench().project, seed: ++seed, now: startOfTime })
        const full: Line[] = []
        const readers = cuts.map(() => ({ cursor: 0, transcript: emptyTranscript() }))
        let state: SessionState | undefined
        for (const [index, roll] of rolls.entries()) {
          const step = { session: log.session, ...log.next(state, roll) }
          const result = await bench()
            .store.append(step)
            .catch(() => undefined)
          state = result?.state ?? state
          full.push(...(result?.lines ?? []))
          for (const [number, reader] of readers.entries())
            if ((index + (cuts[number] ?? 0)) % 9 === 0) await catchUp(bench(), log.session, reader)
          if (index % 7 === 0) await bench().store.compact({ now: step.now, limit: 1 + (roll.size % 5) })
        }
        for (const reader of readers) await catchUp(bench(), log.session, reader)
        for (const { transcript } of readers) expect(transcript).toEqual(replay(full))
        await bench().store.compact({ now: log.ids.now, limit: 10_000 })
        expect(replay(await bench().events(log.session))).toEqual(replay(full))
      }),
      { numRuns: 20 },
    )
  })
}

interface Reader {
  cursor: number
  transcript: Transcript
}

const catchUp = async (bench: Bench, session: string, reader: Reader) => {
  for (const line of await bench.events(session, reader.cursor)) {
    foldTranscript(reader.transcript, parseEvent(JSON.parse(line.json)))
    reader.cursor = line.seq
  }
}

const replay = (lines: Line[]): Transcript => {
  const transcript = emptyTranscript()
  for (const { json } of lines) foldTranscript(transcript, parseEvent(JSON.parse(json)))
  return transcript
}

import { type AnyEvent, foldSession, type SessionState } from '@berth/contract'
import { expect } from 'vitest'

/**
 * What holds for every log, whatever happened: no event is lost or doubled, each prompt begins one turn, each turn ends
 * at most once, and the summary is the fold.
 */
export const checkLog = (events: readonly AnyEvent[]): SessionState => {
  const facts = events.flatMap(({ generation, n }) =>
    generation === undefined ? [] : [`${generation}/${n}`],
  )
  expect(new Set(facts).size, 'no fact twice').toBe(facts.length)
  const seqs = events.map(({ seq }) => seq)
  expect(seqs, 'seq increases').toEqual([...new Set(seqs)].sort((a, b) => a - b))
  const starts = events.flatMap((event) =>
    event.type === 'turn.started' && event.data.attempt === 1 ? [event.data.prompt] : [],
  )
  expect(new Set(starts).size, 'each prompt begins one turn').toBe(starts.length)
  const ends = events.flatMap((event) => (event.type === 'turn.ended' ? [event.data.turn] : []))
  expect(new Set(ends).size, 'each turn ends once').toBe(ends.length)
  let state: SessionState | undefined
  for (const event of events) state = foldSession(state, event)
  if (state === undefined) throw new Error('the log is empty')
  return state
}

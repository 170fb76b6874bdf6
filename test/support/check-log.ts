import { type AnyEvent, type EventOf, foldSession, type SessionState } from '@berth/contract'
import { expect } from 'vitest'

/**
 * What holds for every log, whatever happened: no event is lost or doubled (only deltas of completed blocks may have
 * been deleted), each prompt begins one turn, each turn ends at most once, blocks close, and the summary is the fold.
 * Gives the folded state.
 */
export const checkLog = (events: readonly AnyEvent[]): SessionState => {
  const seqs = events.map(({ seq }) => seq)
  expect(seqs, 'seq increases').toEqual([...new Set(seqs)].sort((a, b) => a - b))
  checkFacts(events)
  checkBlocks(events)
  const starts = of(events, 'turn.started')
    .map(({ data }) => data)
    .flatMap(({ attempt, prompt }) => (attempt === 1 ? [prompt] : []))
  expect(new Set(starts).size, 'each prompt begins one turn').toBe(starts.length)
  const ends = of(events, 'turn.ended')
    .map(({ data }) => data)
    .map(({ turn }) => turn)
  expect(new Set(ends).size, 'each turn ends once').toBe(ends.length)
  let state: SessionState | undefined
  for (const event of events) state = foldSession(state, event)
  if (state === undefined) throw new Error('the log is empty')
  return state
}

type Type = Exclude<AnyEvent['type'], 'unknown'>

const of = <T extends Type>(events: readonly AnyEvent[], type: T): EventOf<T>[] =>
  events.filter((event): event is EventOf<T> & AnyEvent => event.type === type) as EventOf<T>[]

/** Facts of each generation are 1, 2, 3 …; what is missing lies inside a completed block, and so is a missing `seq`. */
const checkFacts = (events: readonly AnyEvent[]) => {
  const generations = new Map<number, number[]>()
  for (const { generation, n } of events)
    if (generation !== undefined && n !== undefined)
      generations.set(generation, [...(generations.get(generation) ?? []), n])
  const spans = completedSpans(events)
  let missing = 0
  for (const [generation, numbers] of generations) {
    expect(numbers, `the facts of generation ${generation} increase`).toEqual(
      [...new Set(numbers)].sort((a, b) => a - b),
    )
    const there = new Set(numbers)
    for (let n = 1; n <= (numbers.at(-1) ?? 0); n++) {
      if (there.has(n)) continue
      missing += 1
      const inside = spans.some((span) => span.generation === generation && span.from < n && n < span.to)
      expect(inside, `fact ${generation}/${n} is missing, and is no delta of a completed block`).toBe(true)
    }
  }
  const last = events.at(-1)?.seq ?? 0
  expect(last - events.length, 'only deltas of facts are missing').toBe(missing)
}

const completedSpans = (events: readonly AnyEvent[]) => {
  const starts = new Map(of(events, 'block.started').map((event) => [event.data.block, event]))
  return of(events, 'block.completed').flatMap(({ data, generation, n = 0 }) => {
    const start = starts.get(data.block)
    return start === undefined ? [] : [{ generation, from: start.n ?? 0, to: n }]
  })
}

const isFact = ({ n }: AnyEvent): boolean => n !== undefined

/** Each block begins once and closes at most once; deltas, as far as there are any, follow on each other. */
const checkBlocks = (events: readonly AnyEvent[]) => {
  const starts = of(events, 'block.started').map(({ data }) => data)
  const begun = starts.map(({ block }) => block)
  // The input of a tool is written anew when it is complete.
  const spoken = new Set(starts.flatMap(({ kind, block }) => (kind === 'tool_use' ? [] : [block])))
  expect(new Set(begun).size, 'each block begins once').toBe(begun.length)
  const completed = of(events, 'block.completed').map(({ data }) => data)
  const aborted = of(events, 'block.aborted')
  const byRunner = [...completed, ...aborted.filter(isFact).map(({ data }) => data)].map(({ block }) => block)
  // The backend closes what a lost runner left open; in its outbox, that runner's own closing may still lie.
  const byBackend = aborted.filter((event) => !isFact(event)).map(({ data }) => data.block)
  const closed = [...byRunner, ...byBackend.filter((block) => !byRunner.includes(block))]
  expect(new Set(closed).size, 'each block closes once').toBe(closed.length)
  expect(
    closed.filter((block) => !begun.includes(block)),
    'closed blocks had begun',
  ).toEqual([])
  const texts = new Map<string, string>()
  const whole = new Map(completed.map((data) => [data.block, data]))
  for (const { block, offset, text } of of(events, 'block.delta').map(({ data }) => data)) {
    const before = texts.get(block) ?? ''
    const known = whole.get(block)
    if (known === undefined) expect(offset, `the deltas of ${block} follow on each other`).toBe(before.length)
    else if (known.full === undefined && spoken.has(block))
      expect(known.text.startsWith(text, offset), `a delta of ${block} is part of it`).toBe(true)
    texts.set(block, before + text)
  }
}

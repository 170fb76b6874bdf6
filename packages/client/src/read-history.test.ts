import { expect, it } from 'vitest'
import { readHistory } from './read-history.ts'

const event = (seq: number, message: string) => ({
  seq,
  at: '2030-01-01T00:00:00.000Z',
  version: 1,
  actor: { kind: 'runner', id: 'r' },
  type: 'runner.notice',
  data: { level: 'info', message },
})

const read = async (chunks: readonly Uint8Array[]): Promise<unknown[]> => {
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  const events: unknown[] = []
  for await (const one of readHistory({ mediaType: 'application/x-ndjson', stream })) events.push(one)
  return events
}

it('reads events however their lines are cut', async () => {
  const events = [event(1, 'one'), event(2, 'zwölf 🙂'), event(3, 'three')]
  const bytes = new TextEncoder().encode(events.map((one) => `${JSON.stringify(one)}\n`).join(''))
  for (const size of [1, 7, 1000]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    )
    expect(await read(chunks)).toEqual(events)
  }
  expect(await read([bytes.subarray(0, bytes.length - 1)])).toEqual(events)
  expect(await read([])).toEqual([])
})

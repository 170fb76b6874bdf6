import { PassThrough, Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { boundedOutput, type OutputOptions } from './bounded-output.ts'

const limits = { line: 10, backlog: 100 }

const read = (chunks: readonly string[], more: Partial<OutputOptions> = {}) => {
  const seen: string[] = []
  let tooLong = 0
  const options = {
    stdin: new PassThrough(),
    room: async () => undefined,
    onTooLong: () => {
      tooLong += 1
    },
    limits,
    ...more,
  }
  const done = (async () => {
    const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
    for await (const chunk of boundedOutput(stream, options)) seen.push(String(chunk))
  })()
  return { seen, done, tooLong: () => tooLong }
}

it.each<[string, string[], string[], number]>([
  ['short lines', ['a\nb\n', 'c'], ['a\nb\n', 'c'], 0],
  [
    'a line of the longest length',
    ['12345', '67890', '\n1234567890\n'],
    ['12345', '67890', '\n1234567890\n'],
    0,
  ],
  ['a line without an end', ['12345', '67890', '1', 'never read'], ['12345', '67890'], 1],
  ['a line that begins late', ['a\n123456', '78901', 'never read'], ['a\n123456'], 1],
])('reads %s', async (_, chunks, seen, tooLong) => {
  const reading = read(chunks)
  await reading.done
  expect(reading.seen).toEqual(seen)
  expect(reading.tooLong()).toBe(tooLong)
})

it('waits for room, and for who leaves the answers unread', async () => {
  const gate = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const stdin = new PassThrough({ highWaterMark: 1 })
  const room = async () => {
    asked.resolve()
    await gate.promise
  }
  const reading = read(['a\n'], { stdin, room })
  await asked.promise
  expect(reading.seen).toEqual([])
  stdin.write('x'.repeat(1000))
  gate.resolve()
  await gate.promise
  await new Promise(setImmediate)
  expect(reading.seen).toEqual([])
  stdin.resume()
  await reading.done
  expect(reading.seen).toEqual(['a\n'])
})

it('goes on when who should take the answers is gone', async () => {
  const stdin = new PassThrough({ highWaterMark: 1 })
  stdin.write('x'.repeat(1000))
  const reading = read(['a\n'], { stdin })
  stdin.destroy()
  await reading.done
  expect(reading.seen).toEqual(['a\n'])
})

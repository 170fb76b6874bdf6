import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costOf } from './cost.ts'
import { Meter } from './meter.ts'
import { builtInPrices } from './prices.ts'

const event = (data: object) => `event: ${(data as { type: string }).type}\ndata: ${JSON.stringify(data)}\n\n`

const stream = [
  event({
    type: 'message_start',
    message: {
      model: 'claude-sonnet-4-5',
      usage: {
        input_tokens: 10,
        output_tokens: 1,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 7,
      },
    },
  }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Grüße 🎉' } }),
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 42 } }),
  event({ type: 'message_stop' }),
].join('')

describe('Meter', () => {
  it('reads the same from a stream wherever it is cut into chunks', () => {
    const bytes = Buffer.from(stream)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), (cuts) => {
        const meter = new Meter('text/event-stream; charset=utf-8')
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        for (const [i, place] of places.entries()) meter.write(bytes.subarray(places[i - 1] ?? 0, place))
        expect(meter.end()).toEqual({
          model: 'claude-sonnet-4-5',
          inputTokens: 10,
          outputTokens: 42,
          cacheReadTokens: 5,
          cacheWriteTokens: 7,
          cacheWriteHourTokens: 0,
          counted: true,
          complete: true,
          error: undefined,
        })
      }),
    )
  })

  it('keeps what was counted before a stream was cut', () => {
    const meter = new Meter('text/event-stream')
    meter.write(Buffer.from(stream.slice(0, stream.indexOf('event: message_delta'))))
    expect(meter.end()).toMatchObject({ inputTokens: 10, outputTokens: 1, complete: false })
  })

  it('reads a JSON answer, and an error', () => {
    const answer = new Meter('application/json')
    answer.write(Buffer.from('{"model":"m","usage":{"input_tokens":3,"output_tokens":4}}'))
    expect(answer.end()).toMatchObject({ model: 'm', inputTokens: 3, outputTokens: 4, complete: true })
    const error = new Meter('application/json')
    error.write(Buffer.from('{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'))
    expect(error.end()).toMatchObject({
      counted: false,
      error: { type: 'overloaded_error', message: 'Overloaded' },
    })
  })

  it('reads nothing from what is not JSON', () => {
    const meter = new Meter('text/html')
    meter.write(Buffer.from('<html>'))
    expect(meter.end()).toMatchObject({ counted: false, error: undefined })
  })
})

describe('costOf', () => {
  const million = { inputTokens: 1e6, outputTokens: 1e6, cacheReadTokens: 0, cacheWriteTokens: 0 }
  it.each([
    ['live', 'claude-opus-4-5-20251101', 30],
    ['live', 'claude-opus-4-1-20250805', 90],
    ['live', 'claude-haiku-4-5', 6],
    ['live', 'some-other-model', null],
    ['scripted', 'claude-opus-4-5', 0],
  ] as const)('%s %s', (source, model, dollars) => {
    expect(costOf(builtInPrices, { source, model }, million)).toBe(dollars)
  })
})

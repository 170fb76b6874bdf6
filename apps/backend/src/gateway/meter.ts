import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { z } from 'zod'
import { parseJson } from '../parse-json.ts'
import type { Tokens } from './cost.ts'

const count = z.number().int().nonnegative().nullish()
const usage = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  cache_creation: z.object({ ephemeral_1h_input_tokens: count }).nullish().catch(undefined),
})
const errorBody = z.object({ error: z.object({ type: z.string(), message: z.string() }) })
const message = z.object({ model: z.string().optional(), usage: usage.optional() })
const streamed = z.object({
  type: z.string(),
  message: message.optional(),
  usage: usage.optional(),
  error: errorBody.shape.error.optional(),
})

/** What a response said about itself so far. */
export interface Reading extends Tokens {
  model: string | undefined
  /** It said anything about tokens. */
  counted: boolean
  /** It came to its end. */
  complete: boolean
  error: { type: string; message: string } | undefined
}

/** The most of a body that is kept to be read at its end: a JSON answer, or an error. */
const maxJsonBytes = 1024 * 1024

/** Reads tokens from a response while it passes: from the events of a stream, or from a JSON body at its end. */
export class Meter {
  readonly reading: Reading = {
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    cacheWriteHourTokens: 0,
    model: undefined,
    counted: false,
    complete: false,
    error: undefined,
  }
  readonly #decoder = new TextDecoder()
  readonly #parser = createParser({ onEvent: (event) => this.#event(event) })
  readonly #isStream: boolean
  #json = ''

  constructor(contentType: string | undefined) {
    this.#isStream = (contentType ?? '').includes('text/event-stream')
  }

  write(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true })
    if (this.#isStream) this.#parser.feed(text)
    else if (this.#json.length < maxJsonBytes) this.#json += text
  }

  /** The whole body has passed. */
  end(): Reading {
    if (this.#isStream) return this.reading
    this.reading.complete = true
    const body = parseJson(this.#json)
    this.reading.error = errorBody.safeParse(body).data?.error
    const { data } = message.safeParse(body)
    this.#model(data?.model)
    this.#count(data?.usage)
    return this.reading
  }

  #event({ data: text }: EventSourceMessage): void {
    // Nearly all events of a long answer; none of them says anything about tokens.
    if (text.startsWith('{"type":"content_block_delta",')) return
    const { data } = streamed.safeParse(parseJson(text))
    if (data === undefined) return
    this.#model(data.message?.model)
    this.#count(data.message?.usage)
    if (data.type === 'message_delta') this.#count(data.usage)
    if (data.type === 'message_stop') this.reading.complete = true
    if (data.type === 'error') this.reading.error = data.error
  }

  #model(model: string | undefined): void {
    if (model !== undefined && model !== '') this.reading.model = model
  }

  /** Counts are totals so far, and a later one may leave out what did not change. */
  #count(said: z.infer<typeof usage> | undefined): void {
    if (said === undefined) return
    const { reading } = this
    reading.counted = true
    reading.inputTokens = said.input_tokens ?? reading.inputTokens
    reading.outputTokens = said.output_tokens ?? reading.outputTokens
    reading.cacheReadTokens = said.cache_read_input_tokens ?? reading.cacheReadTokens
    reading.cacheWriteTokens = said.cache_creation_input_tokens ?? reading.cacheWriteTokens
    reading.cacheWriteHourTokens =
      said.cache_creation?.ephemeral_1h_input_tokens ?? reading.cacheWriteHourTokens
  }
}

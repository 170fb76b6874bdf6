import { request } from 'node:http'
import { createParser } from 'eventsource-parser'

export interface StreamMessage {
  id: string | undefined
  event: string | undefined
  data: { code?: string }
}

/** Reads a stream of server-sent events until it ends, with a token or a cookie. */
export const readStream = (url: string, credential: string | { cookie: string }) => {
  const messages: StreamMessage[] = []
  const state = { open: false }
  const parser = createParser({
    onEvent: ({ id, event, data }) => messages.push({ id, event, data: JSON.parse(data) }),
  })
  const who = typeof credential === 'string' ? { authorization: `Bearer ${credential}` } : credential
  const headers = { ...who, accept: 'text/event-stream' }
  const sent = request(url, { headers })
  const ended = new Promise<void>((resolve) => {
    sent.on('response', (response) => {
      state.open = response.statusCode === 200
      response.setEncoding('utf8')
      response.on('data', (text) => parser.feed(text))
      response.on('error', () => undefined)
      response.on('close', resolve)
    })
    sent.on('error', () => resolve())
  })
  sent.end()
  return { messages, ended, open: () => state.open, close: () => sent.destroy() }
}

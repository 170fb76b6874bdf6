import { request } from 'node:http'
import { createParser } from 'eventsource-parser'

export interface StreamMessage {
  id: string | undefined
  event: string | undefined
  data: { type?: string; seq?: number; code?: string; revision?: number; data?: { status?: string } }
}

/** Reads a stream of server-sent events until it ends, with a token, or with headers such as a cookie. */
export const readStream = (url: string, credential: string | Record<string, string>) => {
  const messages: StreamMessage[] = []
  const state = { open: false, heartbeats: 0 }
  const parser = createParser({
    onEvent: ({ id, event, data }) => messages.push({ id, event, data: JSON.parse(data) }),
    onComment: () => {
      state.heartbeats += 1
    },
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
  return {
    ...{ messages, ended },
    open: () => state.open,
    heartbeats: () => state.heartbeats,
    close: () => sent.destroy(),
  }
}

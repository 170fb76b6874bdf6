import { createServer, type ServerResponse } from 'node:http'

const event = (data: { type: string; [name: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

const begin = event({
  type: 'message_start',
  message: { model: 'claude-sonnet-4-5', usage: { input_tokens: 1000, output_tokens: 1 } },
})
const delta = event({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text: 'some words of an answer ' },
})
const end = event({ type: 'message_delta', usage: { output_tokens: 500 } }) + event({ type: 'message_stop' })

/** Sends an answer word by word, as fast as the loop turns and the reader reads. */
const answer = (response: ServerResponse, left: number): void => {
  if (response.destroyed) return
  if (left === 0) return void response.end(end)
  const next = () => answer(response, left - 1)
  if (response.write(delta)) setImmediate(next)
  else response.once('drain', next)
}

/** The baseline of streams: a model that answers in so many pieces, in a process of its own. */
process.once('message', (pieces: number) => {
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(begin)
      answer(response, pieces)
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
})
process.on('disconnect', () => process.exit(0))

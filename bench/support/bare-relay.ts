import { Agent, createServer, request } from 'node:http'

/** The baseline of a gateway: passes requests on and their answers back, and looks at nothing; in a process of its own. */
process.once('message', (port: number) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 500 })
  const server = createServer((asked, response) => {
    const { method, headers } = asked
    const sent = request(
      { host: '127.0.0.1', port, agent, method, headers, path: '/v1/messages' },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] })
        answer.pipe(response)
      },
    )
    asked.pipe(sent)
  })
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
})
process.on('disconnect', () => process.exit(0))

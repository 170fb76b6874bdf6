#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { builtInScenarios } from './load-scenarios.ts'
import { createScriptedModel } from './scripted-model.ts'

const help = `berth-scripted-model: an offline Messages API that follows written scenarios

  --scenarios DIR   scenario files (default: the built-in ones)
  --port N          default 7430; 0 takes a free port
  --host HOST       default 127.0.0.1
  --socket PATH     listen on a unix socket in place of a port
  --help

Point a client at it with ANTHROPIC_BASE_URL. Each request gives one JSON line on standard error.
`

function readPort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Error(`--port ${text} is not a port. Give a number from 0 to 65535.`)
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenarios: { type: 'string', default: builtInScenarios },
      port: { type: 'string', default: '7430' },
      host: { type: 'string', default: '127.0.0.1' },
      socket: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  const logger = {
    info: (fields: Record<string, unknown>, message: string) =>
      process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), message, ...fields })}\n`),
  }
  const model = createScriptedModel({ scenarios: values.scenarios, logger })
  const where = values.socket === undefined ? {} : { socketPath: values.socket }
  const server = await model.listen({ port: readPort(values.port), host: values.host, ...where })
  process.stdout.write(`${server.url}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
}

try {
  await run()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createClient, isApiError, isConnectionError } from '@berth/client'

const dataDir = process.env.BERTH_DATA_DIR ?? join(homedir(), '.local', 'share', 'berth')
const client = createClient({
  baseUrl: process.env.BERTH_URL ?? 'http://127.0.0.1:7420',
  token: () => process.env.BERTH_TOKEN ?? readFileSync(join(dataDir, 'owner-token'), 'utf8').trim(),
})

const run = async (project: string, prompt: string): Promise<void> => {
  const { id } = await client.createSession({ params: { project }, body: { prompt } })
  console.log(`Session ${id}`)
  // Every event once and in order, also when the connection breaks in between.
  for await (const event of client.events(project, id)) {
    if (event.type === 'block.completed') console.log(event.data.text)
    if (event.type === 'session.failed') throw new Error(event.data.message)
    if (event.type === 'turn.ended')
      return console.log(`${event.data.result} after ${event.data.durationMs} ms`)
  }
}

try {
  await run('default', process.argv[2] ?? 'echo: hello')
} catch (error) {
  if (isConnectionError(error)) console.error('Berth does not run here. Start it with: npm start')
  else if (isApiError(error)) console.error(`${error.code}: ${error.message}`)
  else throw error
  process.exitCode = 1
}

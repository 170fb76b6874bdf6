import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { startPostgres } from './start-postgres.ts'

const answers = async (url: string) => {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query('SELECT 1 AS one')).rows
  } finally {
    await client.end()
  }
}

it('gives databases, and has what was committed after it was killed', async () => {
  const postgres = await startPostgres()
  onTestFinished(() => postgres.stop())
  const url = await postgres.createDatabase()
  expect(await answers(url)).toEqual([{ one: 1 }])
  if (postgres.kill === undefined) return
  await postgres.kill()
  await expect(answers(url)).rejects.toThrow()
  await postgres.start?.()
  expect(await answers(url)).toEqual([{ one: 1 }])
  await postgres.dropDatabase(url)
  await expect(answers(url)).rejects.toThrow(/does not exist/)
})

it.skipIf(process.env.BERTH_TEST_DATABASE_URL)('ends when who started it is killed', async () => {
  const module = fileURLToPath(new URL('./start-postgres.ts', import.meta.url))
  const code = `const { startPostgres } = await import(${JSON.stringify(module)})
    const postgres = await startPostgres()
    console.log(await postgres.createDatabase())
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [url] = await once(createInterface(child.stdout), 'line')
  expect(await answers(url)).toEqual([{ one: 1 }])
  child.kill('SIGKILL')
  await vi.waitUntil(
    () =>
      answers(url).then(
        () => false,
        () => true,
      ),
    { timeout: 20_000 },
  )
})

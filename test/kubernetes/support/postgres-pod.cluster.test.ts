import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { removeNamespaces } from './leftovers.ts'
import { startPostgresPod } from './postgres-pod.ts'
import { kubectl } from './programs.ts'

const namespace = `t-${randomBytes(4).toString('hex')}`

beforeAll(() => kubectl(['create', 'namespace', namespace]))
afterAll(() => removeNamespaces([namespace]))

it('gives a test a real PostgreSQL server in the cluster', async () => {
  const { url, sql } = await startPostgresPod(namespace)
  expect(url).toMatch(/^postgres:\/\/berth:[0-9a-f]{32}@postgres-[0-9a-f]{6}\./)
  expect(await sql("select current_setting('server_encoding')")).toBe('UTF8\n')
})

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { createSqliteStore } from './sqlite-store.ts'

const changed = async (sql: string) => {
  const file = join(await temporaryDirectory(), 'berth.db')
  await (await createSqliteStore({ file })).close()
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
  return file
}

it.each([
  ['of another fingerprint', "UPDATE meta SET value = 'other'"],
  ['without one', 'DROP TABLE meta'],
])('refuses a database %s, says what to do, and lets the directory go', async (_, sql) => {
  const file = await changed(sql)
  for (let i = 0; i < 2; i++)
    await expect(createSqliteStore({ file })).rejects.toMatchObject({
      reason: 'other-schema',
      message: expect.stringMatching(/another development version.*Move its directory away/),
    })
})

it('opens its own database again, with an empty write-ahead log', async () => {
  const file = await changed('PRAGMA user_version')
  const store = await createSqliteStore({ file })
  await store.createProject({ name: 'p', displayName: 'P', description: '', settings: {}, now: 1 })
  await store.close()
  expect(existsSync(`${file}-wal`)).toBe(false)
  const again = await createSqliteStore({ file })
  expect(await again.project('p')).toMatchObject({ displayName: 'P' })
  await again.close()
})

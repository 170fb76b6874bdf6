import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { createSqliteStore } from './store/sqlite/sqlite-store.ts'

const run = promisify(execFile)
const main = fileURLToPath(new URL('main.ts', import.meta.url))

it('brings the schema up to date and ends, with --migrate', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-migrate-'))
  const migrate = () =>
    run(process.execPath, [main, '--migrate'], {
      env: { PATH: process.env.PATH, HOME: directory, BERTH_DATA_DIR: join(directory, 'data') },
    })
  try {
    expect((await migrate()).stdout).toBe('The schema is up to date.\n')
    // A second time there is nothing to do, and no token or port was made or taken.
    expect((await migrate()).stdout).toBe('The schema is up to date.\n')
    expect(await readdir(join(directory, 'data'))).not.toContain('owner-token')
    const store = await createSqliteStore({ file: join(directory, 'data', 'berth.db') })
    await expect(migrate()).rejects.toMatchObject({ code: 1 })
    await store.close()
  } finally {
    await rm(directory, { recursive: true })
  }
})

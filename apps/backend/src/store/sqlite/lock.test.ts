import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { lockDirectory } from './lock.ts'
import { createSqliteStore } from './sqlite-store.ts'

const holder = fileURLToPath(new URL('./fixtures/hold-lock.ts', import.meta.url))

const hold = async (directory: string): Promise<ChildProcess> => {
  const child = spawn(process.execPath, ['--expose-gc', holder, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

it('refuses a directory that another process has, and names it', async () => {
  const directory = await temporaryDirectory()
  const child = await hold(directory)
  const refused = createSqliteStore({ file: join(directory, 'berth.db') })
  await expect(refused).rejects.toMatchObject({
    name: 'StoreOpenError',
    reason: 'in-use',
    message: expect.stringMatching(new RegExp(`^Process ${child.pid}, started 20.* BERTH_DATA_DIR`)),
  })
  expect(existsSync(join(directory, 'berth.db'))).toBe(false)
})

it('takes over at once from a process that was killed', async () => {
  const directory = await temporaryDirectory()
  const child = await hold(directory)
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
  lockDirectory(directory)()
})

it('refuses a second store in the same process, until the first is closed', async () => {
  const file = join(await temporaryDirectory(), 'berth.db')
  const store = await createSqliteStore({ file })
  await expect(createSqliteStore({ file })).rejects.toThrow(`Process ${process.pid}`)
  await store.ping()
  await store.close()
  await (await createSqliteStore({ file })).close()
})

it('refuses also when nothing says who has the directory', async () => {
  const directory = await temporaryDirectory()
  const unlock = lockDirectory(directory)
  await writeFile(join(directory, 'lock.json'), '{')
  expect(() => lockDirectory(directory)).toThrow(/^Another process works in/)
  unlock()
  unlock()
  lockDirectory(directory)()
})

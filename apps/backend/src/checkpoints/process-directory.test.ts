import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { processDirectory } from './process-directory.ts'

it('is this process’s alone, and only what nobody uses any more is removed', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'berth-process-'))
  const other = spawn('sleep', ['600'])
  onTestFinished(async () => {
    other.kill('SIGKILL')
    await rm(parent, { recursive: true, force: true })
  })
  const gone = spawn('true')
  await once(gone, 'exit')
  const lives = `${other.pid}-1`
  for (const name of [lives, `${gone.pid}-2`, `${process.pid}-3`, 'something.git'])
    await mkdir(join(parent, name, 'objects'), { recursive: true })
  const directory = await processDirectory(parent)
  expect(await readdir(parent)).toEqual([lives])
  await mkdir(directory)
  expect(await processDirectory(parent)).toBe(directory)
  expect((await readdir(parent)).sort()).toEqual([lives, basename(directory)].sort())
})

import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyDirectory } from './empty-directory.ts'

let place: string
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'berth-empty-'))
})
afterEach(() => rm(place, { recursive: true, force: true }))

test('a directory is emptied and stays the one that others may be mounting', async () => {
  await mkdir(join(place, 'deep/er'), { recursive: true })
  await writeFile(join(place, 'deep/er/file'), 'x')
  await writeFile(join(place, '.hidden'), 'x')
  const { ino } = await stat(place)
  await emptyDirectory(place)
  expect(await readdir(place)).toEqual([])
  expect((await stat(place)).ino).toBe(ino)
})

test('one that is not there is made', async () => {
  await emptyDirectory(join(place, 'new'))
  expect(await readdir(join(place, 'new'))).toEqual([])
})

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, it, onTestFinished } from 'vitest'
import { blobConformance } from './conformance/index.ts'
import { createDirectoryBlobs } from './directory.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'berth-blobs-'))
const gone = (directory: string) => rm(directory, { recursive: true, force: true })

blobConformance('A directory', async () => {
  const directory = await temporary()
  return { blobs: await createDirectoryBlobs({ directory }), dispose: () => gone(directory) }
})

it('leaves uploads of other backends alone, unless nothing comes any more', async () => {
  const directory = await temporary()
  onTestFinished(() => gone(directory))
  await createDirectoryBlobs({ directory, shared: true })
  const [young, old] = ['young', 'old'].map((name) => join(directory, '.incoming', name)) as [string, string]
  for (const file of [young, old]) await writeFile(file, 'half')
  await utimes(old, 0, 0)
  await createDirectoryBlobs({ directory, shared: true })
  expect(await readdir(join(directory, '.incoming'))).toEqual(['young'])
})

it('removes at the start what a crash left of uploads, and leaves no parts itself', async () => {
  const directory = await temporary()
  onTestFinished(() => gone(directory))
  await mkdir(join(directory, '.incoming'), { recursive: true })
  await writeFile(join(directory, '.incoming', 'part'), 'half')
  const blobs = await createDirectoryBlobs({ directory })
  const blob = createHash('sha256').update('x').digest('hex')
  const put = (text: string) =>
    blobs.put('ses_1', { blob, content: Readable.from([Buffer.from(text)]), maxBytes: 10 })
  await put('x')
  await put('y').catch(() => undefined)
  expect(await readdir(join(directory, '.incoming'))).toEqual([])
  expect(await readdir(join(directory, 'ses_1'))).toEqual([blob])
  expect((await stat(join(directory, 'ses_1', blob))).mode & 0o777).toBe(0o600)
})

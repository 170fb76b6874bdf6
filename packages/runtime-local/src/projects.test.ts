import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Runtime } from '@berth/runtime'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLocalRuntime } from './local-runtime.ts'

let root: string
let mirrors: string
let runtime: Runtime | undefined
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-projects-'))
  mirrors = join(root, 'mirrors')
})
afterEach(async () => {
  await runtime?.close()
  await rm(root, { recursive: true, force: true })
})

const open = async (over: { mirrors?: string }) => {
  const directory = join(root, 'sessions')
  await mkdir(directory, { recursive: true })
  runtime = await createLocalRuntime({ directory, command: ['false'], ...over })
  return runtime
}

it('[P207] names the projects that have mirrors, and removes those of one', async () => {
  const local = await open({ mirrors })
  expect(await local.projects()).toEqual([])
  await local.removeProject('shop')
  for (const project of ['shop', 'shop-2', 'web']) {
    const objects = join(mirrors, project, 'app.git', 'objects')
    await mkdir(objects, { recursive: true })
    // As git leaves packs: not writable.
    await writeFile(join(objects, 'pack'), 'bytes', { mode: 0o444 })
  }
  // Nothing of a project’s.
  await mkdir(join(mirrors, '.lock'))
  await mkdir(join(mirrors, 'UPPER'))
  expect((await local.projects()).sort()).toEqual(['shop', 'shop-2', 'web'])
  await local.removeProject('shop')
  await local.removeProject('shop')
  expect((await local.projects()).sort()).toEqual(['shop-2', 'web'])
  expect((await readdir(mirrors)).sort()).toEqual(['.lock', 'UPPER', 'shop-2', 'web'])
})

it.each(['..', '.', '', 'a/../../b', '../sessions', 'UPPER', '.lock', 'a b'])(
  '[P207] removes nothing for %j, which is the name of no project',
  async (name) => {
    await mkdir(join(mirrors, '.lock'), { recursive: true })
    const local = await open({ mirrors })
    await expect(local.removeProject(name)).rejects.toMatchObject({ reason: 'forbidden', retryable: false })
    expect(await readdir(root)).toEqual(expect.arrayContaining(['mirrors', 'sessions']))
    expect(await readdir(mirrors)).toEqual(['.lock'])
  },
)

it('[P207] keeps nothing for projects where there are no mirrors, and says when it can’t look', async () => {
  const without = await open({})
  expect(await without.projects()).toEqual([])
  await without.removeProject('shop')
  await without.close()
  await writeFile(mirrors, 'no directory')
  const broken = await open({ mirrors })
  await expect(broken.projects()).rejects.toThrow('list the mirrors')
})

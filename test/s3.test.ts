import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyEvent } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noTestStore } from '../apps/backend/src/blobs/s3/test-store.ts'
import { checkLog } from './support/check-log.ts'
import { processesNaming } from './support/processes.ts'
import { openS3Place, type S3Place } from './support/s3.ts'
import { sampleRepo } from './support/sample.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

let parent: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-s3-'))
})

afterAll(() => rm(parent, { recursive: true, force: true }))

const is = (type: AnyEvent['type']) => (event: AnyEvent) => event.type === type
const ended = is('turn.ended')

const withS3 = async (test: (world: World, place: S3Place) => Promise<void>) => {
  const place = await openS3Place()
  try {
    await withWorld((world) => test(world, place), place.env)
  } finally {
    await place.close()
  }
}

/** A session that has a checkpoint with a file that nobody committed. */
const begin = async ({ client, until }: World, name: string, settings = {}) => {
  const repositories = [{ url: await sampleRepo(parent, name) }]
  const prompt = 'write notes.md: hello'
  const { id } = await client.createSession({ params: { project }, body: { prompt, repositories, settings } })
  await until(id, is('checkpoint.saved'))
  return id
}

const stopped = ({ settled }: World, id: string) => settled(id, ({ status }) => status.phase === 'stopped')

const send = async (world: World, session: string, content: string) => {
  const { seq } = await world.client.createPrompt({ params: { project, session }, body: { content } })
  return world.until(session, ended, { after: seq })
}

/** As on another machine: nothing is left of it but what is stored. */
const loseDisk = ({ dataDir }: World, id: string) =>
  rm(join(dataDir, 'sessions', id), { recursive: true, force: true })

const lastResult = async (world: World, id: string) =>
  JSON.stringify((await world.events(id)).findLast(is('tool.result'))?.data)

describe.skipIf(noTestStore !== undefined)(
  `blobs in S3 (${noTestStore ?? 'there'})`,
  { timeout: 180_000 },
  () => {
    it('[P110] a session falls asleep, wakes on an empty disk, and leaves nothing when it is purged', () =>
      withS3(async (world, { keys, secret }) => {
        const { client, dataDir } = world
        const { version } = await client.getProjectSettings({ params: { project } })
        await client.updateProjectSettings({ params: { project }, body: { undoHours: 0 }, ifMatch: version })
        const id = await begin(world, 'sleeps', { idleMinutes: 0.01 })
        if (process.platform === 'linux')
          for (const pid of await processesNaming(id)) {
            const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
            expect(environment).not.toContain(secret)
            expect(environment).not.toContain('AWS_')
          }
        await stopped(world, id)
        expect((await keys()).some((key) => key.includes(`/${id}/`))).toBe(true)
        expect(existsSync(join(dataDir, 'blobs'))).toBe(false)
        await loseDisk(world, id)
        const log = await send(world, id, 'run: cat notes.md && git status --short')
        expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
        expect(await lastResult(world, id)).toMatch(/hello.*\?\? notes\.md/)
        checkLog(await world.events(id))
        await client.deleteSession({ params: { project, session: id } })
        await eventually('nothing of it in the bucket', async () => {
          return (await keys()).every((key) => !key.includes(id)) || undefined
        })
      }))

    it('[P111] is away: what needs it is refused in words or waits, and nothing is lost', () =>
      withS3(async (world, place) => {
        const id = await begin(world, 'goes-on')
        const params = { project, session: id }
        place.cut()
        const large = { params, body: { content: `echo: ${'word '.repeat(20_000)}` } }
        await expect(world.client.createPrompt(large)).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringContaining('blob store'),
        })
        expect((await world.client.getSession({ params })).queue, 'nothing half done').toEqual([])
        // It works on; its changes are blobs, and the end of the turn is told after them.
        const { seq } = await world.client.createPrompt({
          params,
          body: { content: 'write more.md: unsaved' },
        })
        await world.until(id, is('tool.result'), { after: seq })
        place.mend()
        const saved = await world.until(id, is('checkpoint.saved'), { after: seq })
        expect(saved.find(ended)).toMatchObject({ data: { result: 'success' } })
        await world.client.stopSession({ params })
        await stopped(world, id)
        await loseDisk(world, id)
        expect((await send(world, id, 'run: cat notes.md more.md')).at(-1)).toMatchObject({
          data: { result: 'success' },
        })
        expect(await lastResult(world, id)).toMatch(/hello.*unsaved/)
        checkLog(await world.events(id))
      }))
  },
)

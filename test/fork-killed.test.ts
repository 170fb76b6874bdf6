import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { crashSteps } from '@berth/testing/crash-points'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { signal } from './support/processes.ts'
import { sampleRepo } from './support/sample.ts'
import { project, type World, withWorld } from './support/world.ts'

let parent: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-forks-'))
})

afterAll(() => rm(parent, { recursive: true, force: true }))

const namesIn = (path: string): string[] => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Kills the backend when a session that wasn't there has so many blobs; false: what was asked for came first. */
const killedAt = async (world: World, blobs: number, asked: Promise<unknown>): Promise<boolean> => {
  const directory = join(world.dataDir, 'blobs')
  const before = new Set(namesIn(directory))
  let over = false
  const done = () => {
    over = true
  }
  void asked.then(done, done)
  while (!over) {
    const fresh = namesIn(directory).filter((name) => name.startsWith('ses_') && !before.has(name))
    if (fresh.some((name) => namesIn(join(directory, name)).length >= blobs)) {
      signal(world.pid, 'SIGKILL')
      await world.stop('SIGKILL')
      return true
    }
    await breathe()
  }
  return false
}

describe('a fork that kill -9 cuts short', { timeout: 180_000 }, () => {
  it('[P82] is no session, after each of its blobs; asked for again, it is one, with files and conversation', () =>
    withWorld(async (world) => {
      const url = await sampleRepo(parent)
      const source = await world.client.createSession({
        params: { project },
        body: { prompt: 'run: echo kept > kept.txt; echo done', repositories: [{ url }] },
      })
      await world.until(source.id, ({ type }) => type === 'checkpoint.saved')
      const titled = async (title: string) => {
        const { items } = await world.client.listSessions({ params: { project }, query: { text: title } })
        return items.map(({ id }) => id)
      }
      let kills = 0
      let last = ''
      for (const blobs of crashSteps()) {
        const title = `Copy number ${blobs} of it`
        const fork = () =>
          world.client.forkSession({
            params: { project, session: source.id },
            body: { title },
            idempotencyKey: `fork-${blobs}`,
          })
        const first = fork()
        first.catch(() => undefined)
        const killed = await killedAt(world, blobs, first)
        if (killed) {
          kills += 1
          await world.start()
          const found = await titled(title)
          expect(found.length).toBeLessThanOrEqual(1)
        }
        const { id } = await fork()
        expect(await titled(title)).toEqual([id])
        last = id
        if (!killed) break
      }
      expect(kills).toBeGreaterThan(0)
      await world.settled(last, ({ status }) => status.phase === 'idle')
      const { seq } = await world.client.createPrompt({
        params: { project, session: last },
        body: { content: 'run: cat kept.txt' },
      })
      const log = await world.until(last, ({ type }) => type === 'turn.ended', { after: seq })
      expect(log.at(-1)).toMatchObject({
        data: { result: 'success', message: expect.stringContaining('kept') },
      })
      checkLog(await world.events(last))
    }))
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyEvent } from '@berth/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkAtRest, follow } from './support/watched.ts'
import { eventually, project, withWorld } from './support/world.ts'

const ended = (event: AnyEvent) => event.type === 'turn.ended'

const mount = (): string | undefined => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', directory], { stdio: 'ignore' })
    return directory
  } catch {
    rmdirSync(directory)
    return undefined
  }
}

const unmount = (directory: string) => {
  execFileSync('umount', ['-l', directory])
  rmdirSync(directory)
}

const mayMount = (() => {
  const directory = process.platform === 'linux' ? mount() : undefined
  if (directory !== undefined) unmount(directory)
  return directory !== undefined
})()

/** Takes all the room that is left. */
const fill = async (path: string) => {
  const file = await open(path, 'w')
  try {
    for (const size of [1024 * 1024, 4096]) {
      const bytes = Buffer.alloc(size)
      for (;;) await file.write(bytes)
    }
  } catch {
    // The large pieces do not fit any more; the next round takes the rest.
  }
  const small = Buffer.alloc(4096)
  for (let full = false; !full; )
    full = await file.write(small).then(
      ({ bytesWritten }) => bytesWritten === 0,
      () => true,
    )
  await file.close()
}

describe.skipIf(!mayMount)('a full disk (mounts a small one: needs root)', { timeout: 120_000 }, () => {
  it('[P33] refuses what it can’t keep, loses nothing of a running turn, and goes on when there is room', async () => {
    const disk = mount() ?? ''
    onTestFinished(() => unmount(disk))
    await withWorld(
      async (world) => {
        const { client } = world
        const { id } = await client.createSession({
          params: { project },
          body: { prompt: 'count slowly to 60' },
        })
        const params = { project, session: id }
        const follower = follow(world, id)
        await world.until(id, ({ type }) => type === 'block.delta')
        await fill(join(disk, 'filler'))
        const large = { params, body: { content: `echo: ${'word '.repeat(20_000)}` } }
        await expect(client.createPrompt(large)).rejects.toMatchObject({ code: 'storage_full', status: 507 })
        const { queue } = await client.getSession({ params })
        expect(queue, 'nothing half done').toEqual([])
        await rm(join(disk, 'filler'))
        await eventually('the end of the turn', async () => (await world.events(id)).some(ended) || undefined)
        await world.settled(id, ({ status }) => status.phase === 'idle')
        await client.createPrompt({ params, body: { content: 'echo: goes on' } })
        await world.settled(id, ({ turns, status }) => turns === 2 && status.phase === 'idle')
        const events = await checkAtRest(world, id, follower)
        const ends = events.filter(ended).map(({ data }) => data)
        expect(ends).toMatchObject([{ result: 'success' }, { result: 'success', message: 'goes on' }])
        await follower.close()
      },
      {},
      disk,
    )
  })
})

import { readFile } from 'node:fs/promises'
import { freemem } from 'node:os'
import { project, type World, withWorld } from '../../test/support/world.ts'
import type { Figure } from '../figure.ts'

const asleep = 50
const wanted = 20
/** What a live session and its share of a turn may take here. */
const bytesEach = 400 * 1024 * 1024

const megabyte = 1e6
const seconds = 1000

const create = async ({ client, until }: World, idleMinutes: number): Promise<string> => {
  const body = { prompt: 'write notes.md: hello', settings: { idleMinutes } }
  const { id } = await client.createSession({ params: { project }, body })
  await until(id, ({ type }) => type === 'turn.ended')
  return id
}

/** Resident memory of a process. */
const residentOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

const memoryOf = async ({ client }: World, session: string): Promise<number> => {
  const { resources } = await client.getSession({ params: { project, session } })
  return resources?.memoryBytes ?? 0
}

/** The memory of a backend that keeps many real sessions, most of them asleep. */
export const crowd: Figure = {
  name: 'crowd',
  about: `${asleep} real sessions asleep and up to ${wanted} live ones, as far as there is memory for them`,
  run: async () => {
    const count = Math.min(wanted, Math.floor(freemem() / bytesEach))
    let rows: Awaited<ReturnType<Figure['run']>> = []
    await withWorld(
      async (world) => {
        const before = await residentOf(world.pid)
        for (let i = 0; i < asleep; i++) {
          const id = await create(world, 0.01)
          await world.settled(id, ({ status }) => status.phase === 'stopped')
        }
        const live: string[] = []
        for (let i = 0; i < count; i++) live.push(await create(world, 0))
        // The agents' use is measured every few seconds.
        await new Promise((resolve) => setTimeout(resolve, 6 * seconds))
        const backend = await residentOf(world.pid)
        const agents = await Promise.all(live.map((id) => memoryOf(world, id)))
        const all = agents.reduce((sum, bytes) => sum + bytes, 0)
        const note = `${asleep} asleep, ${count} live`
        rows = [
          {
            what: 'backend, resident',
            value: backend / megabyte,
            unit: 'MB',
            note: `${note}; ${Math.round(before / megabyte)} MB before`,
          },
          {
            what: 'agents of the live ones, each',
            value: all / Math.max(1, count) / megabyte,
            unit: 'MB',
            note,
          },
        ]
      },
      { BERTH_MAX_LIVE_SESSIONS: '100', BERTH_MEMORY_MIB: '100000' },
    )
    return rows
  },
}

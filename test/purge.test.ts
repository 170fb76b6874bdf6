import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { processesNaming } from './support/processes.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

const namesIn = (directory: string) => readdir(directory).catch((): string[] => [])

/** What is left on disk of these sessions. */
const leftOf = async ({ dataDir }: World, sessions: readonly string[]): Promise<string[]> => {
  const names = [...(await namesIn(join(dataDir, 'sessions'))), ...(await namesIn(join(dataDir, 'blobs')))]
  return names.filter((name) => sessions.some((session) => name.includes(session)))
}

describe.skipIf(process.platform !== 'linux')(
  'a purge (looks for processes in /proc)',
  { timeout: 120_000 },
  () => {
    it('[P34] cut short by kill -9 of the backend: nothing is left of the sessions', () =>
      withWorld(async (world) => {
        const { client, dataDir } = world
        const { version } = await client.getProjectSettings({ params: { project } })
        await client.updateProjectSettings({ params: { project }, body: { undoHours: 0 }, ifMatch: version })
        // Long enough to be kept as blobs.
        const prompt = `echo: ${'word '.repeat(20_000)}`
        const sessions = await Promise.all(
          Array.from({ length: 4 }, async () => {
            const { id } = await client.createSession({ params: { project }, body: { prompt } })
            await world.until(id, ({ type }) => type === 'turn.ended')
            return id
          }),
        )
        expect(await leftOf(world, sessions)).toHaveLength(8)
        await Promise.all(sessions.map((session) => client.deleteSession({ params: { project, session } })))
        await eventually('the first sign of a purge', async () => {
          return (await leftOf(world, sessions)).length < 8 || undefined
        })
        await world.stop('SIGKILL')
        await world.start()
        await eventually('nothing left on disk', async () => {
          return (await leftOf(world, sessions)).length === 0 || undefined
        })
        for (const session of sessions) {
          expect(await processesNaming(join(dataDir, 'sessions', session))).toEqual([])
          await expect(world.client.getSession({ params: { project, session } })).rejects.toMatchObject({
            code: 'session_not_found',
          })
        }
      }))
  },
)

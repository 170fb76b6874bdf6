import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { processesNaming } from './support/processes.ts'
import { eventually, type World, withWorld } from './support/world.ts'

const doomed = 'doomed'
const params = { project: doomed }

const namesIn = (directory: string) => readdir(directory).catch((): string[] => [])

/** Sessions of which something is left on disk. */
const leftOf = async ({ dataDir }: World, sessions: readonly string[]): Promise<string[]> => {
  const names = [...(await namesIn(join(dataDir, 'sessions'))), ...(await namesIn(join(dataDir, 'blobs')))]
  return sessions.filter((session) => names.some((name) => name.includes(session)))
}

/** Waits for the end of a session’s first turn. */
const ended = ({ client }: World, session: string) =>
  eventually('the turn has ended', async () => {
    const { status } = await client.getSession({ params: { ...params, session } })
    return status.phase === 'idle' || undefined
  })

/** Neither on disk nor as a process. */
const nothingLeft = async (world: World, sessions: readonly string[]) => {
  expect(await leftOf(world, sessions)).toEqual([])
  for (const session of sessions)
    expect(await processesNaming(join(world.dataDir, 'sessions', session))).toEqual([])
}

const projectGone = ({ client }: World) =>
  eventually('the project is gone', () =>
    client.getProjectDeletion({ params }).then(
      () => undefined,
      (error) => error.code === 'project_not_found' || undefined,
    ),
  )

describe.skipIf(process.platform !== 'linux')(
  'the end of a project (looks for processes in /proc)',
  { timeout: 180_000 },
  () => {
    it('[P209] that kill -9 of the backend cuts short goes on by itself: nothing of it is left, and its audit is whole', () =>
      withWorld(async (world) => {
        await world.client.createProject({ body: { name: doomed, settings: { turnMinutes: 5 } } })
        await world.client.putSecret({
          params: { ...params, name: 'token' },
          body: { kind: 'git-host', value: 'a token of a git host' },
        })
        await world.client.createKey({ params, body: { name: 'ci' } })
        // Long enough to be kept as blobs.
        const prompt = `echo: ${'word '.repeat(20_000)}`
        const sessions = await Promise.all(
          Array.from({ length: 3 }, async () => {
            const { id } = await world.client.createSession({ params, body: { prompt } })
            await ended(world, id)
            return id
          }),
        )
        expect(await leftOf(world, sessions)).toHaveLength(3)
        await world.client.deleteProject({ params, query: { confirm: doomed } })
        // Wherever it is by then; once more when a session is gone.
        await world.stop('SIGKILL')
        await world.start()
        await expect(world.client.getProject({ params })).rejects.toMatchObject({ code: 'project_not_found' })
        await eventually('the first session is gone', async () => {
          return (await leftOf(world, sessions)).length < 3 || undefined
        })
        await world.stop('SIGKILL')
        await world.start()
        await projectGone(world)
        await nothingLeft(world, sessions)
        expect(await namesIn(join(world.dataDir, 'mirrors'))).not.toContain(doomed)
        const { items } = await world.client.listAudit({
          query: { project: doomed, action: 'deleteProject' },
        })
        expect(items).toMatchObject([{ result: 'done', object: { id: doomed } }])
        expect(await world.client.verifyAudit({ body: {} })).toMatchObject({ ok: true })
        // A new one of its name sees nothing of it.
        await world.client.createProject({ body: { name: doomed } })
        expect((await world.client.listSecrets({ params })).items).toEqual([])
        expect((await world.client.listKeys({ params })).items).toEqual([])
        expect((await world.client.listSessions({ params, query: {} })).items).toEqual([])
      }))

    it('[P209] goes on also when sessions are only on their way: asked for, without a runner yet, or waiting for room', () =>
      withWorld(
        async (world) => {
          await world.client.createProject({ body: { name: doomed } })
          const sessions = await Promise.all(
            Array.from({ length: 5 }, async () => {
              const { id } = await world.client.createSession({ params, body: { prompt: 'echo: never' } })
              return id
            }),
          )
          await eventually('one is asked for', async () => {
            const { items } = await world.client.listSessions({ params, query: {} })
            return items.some(({ status }) => status.phase === 'starting') || undefined
          })
          await world.client.deleteProject({ params, query: { confirm: doomed } })
          await world.stop('SIGKILL')
          await world.start()
          await projectGone(world)
          await nothingLeft(world, sessions)
        },
        { BERTH_MAX_LIVE_SESSIONS: '3' },
      ))
  },
)

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyEvent, Repository } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { createGates } from './support/gates.ts'
import { type GitServer, startGitServer } from './support/git-server.ts'
import { git, sampleRepo } from './support/sample.ts'
import { project, type World, withWorld } from './support/world.ts'

const ended = (event: AnyEvent) => event.type === 'turn.ended'

let parent: string
let server: GitServer

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-origins-'))
  server = await startGitServer(parent, createGates())
})

afterAll(async () => {
  await server.close()
  await rm(parent, { recursive: true, force: true })
})

const create = async ({ client }: World, repositories: Repository[], prompt: string) =>
  (await client.createSession({ params: { project }, body: { prompt, repositories } })).id

/** The clone fails and says why; after the repair the session is resumed, and its prompt comes to its result. */
const failsUntil = async (
  world: World,
  repository: Repository,
  { says, repair }: { says: RegExp; repair: () => Promise<unknown> },
) => {
  const session = await create(world, [repository], 'echo: repaired')
  const { status } = await world.settled(session, ({ status: { phase } }) => phase === 'failed')
  expect(status).toMatchObject({ phase: 'failed', reason: 'clone', message: expect.stringMatching(says) })
  const params = { project, session }
  await expect(world.client.createPrompt({ params, body: { content: 'echo: no' } })).rejects.toMatchObject({
    code: 'session_failed',
  })
  await repair()
  await world.client.resumeSession({ params })
  const log = await world.until(session, ended)
  expect(log.at(-1)).toMatchObject({ data: { result: 'success', message: 'repaired' } })
  checkLog(await world.events(session))
}

describe('repositories', { timeout: 120_000 }, () => {
  it('[P12] several at once, remote, local and empty: each is on the session’s branch', () =>
    withWorld(async (world) => {
      await sampleRepo(parent, 'far')
      const near = await sampleRepo(parent, 'near')
      const empty = join(parent, 'empty')
      await mkdir(empty)
      await git(empty, 'init', '-q', '-b', 'main')
      const repositories = [{ url: `${server.url}/far/.git`, name: 'far' }, { url: near }, { url: empty }]
      const prompt =
        'run: ls -1 | grep -v artifacts; for name in far near empty; do git -C $name symbolic-ref HEAD; done; echo new > empty/new; git -C empty add new && git -C empty commit -qm First && echo committed'
      const id = await create(world, repositories, prompt)
      const log = await world.until(id, ended)
      const result = log.find((event) => event.type === 'tool.result')
      const branch = `refs/heads/berth/${id}`
      expect(result).toMatchObject({
        data: { text: `empty\nfar\nnear\n${branch}\n${branch}\n${branch}\ncommitted` },
      })
      const changes = await world.client.getChanges({ params: { project, session: id } })
      expect(changes.repositories.map(({ name, total }) => [name, total.files])).toEqual([
        ['far', 0],
        ['near', 0],
        ['empty', 1],
      ])
      checkLog(await world.events(id))
    }))

  it('[P31] a missing one, a missing branch and one that needs credentials: the reason is told, and resume goes on', () =>
    withWorld(async (world) => {
      const branched = await sampleRepo(parent, 'branched')
      await sampleRepo(parent, 'private')
      server.locked.add('/private/')
      await failsUntil(
        world,
        { url: `${server.url}/late/.git`, name: 'late' },
        { says: /late .*there is no such repository/s, repair: () => sampleRepo(parent, 'late') },
      )
      await Promise.all([
        failsUntil(
          world,
          { url: branched, branch: 'later' },
          { says: /branch later does not exist.*main/s, repair: () => git(branched, 'branch', 'later') },
        ),
        failsUntil(
          world,
          { url: `${server.url}/private/.git`, name: 'private' },
          { says: /needs credentials/, repair: async () => server.locked.clear() },
        ),
      ])
      const missing = create(world, [{ url: join(parent, 'nowhere') }], 'echo: no')
      await expect(missing).rejects.toMatchObject({ code: 'invalid_input' })
    }))
})

import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyEvent, Repository } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { createGates } from './support/gates.ts'
import { type GitServer, startGitServer } from './support/git-server.ts'
import { findProcess, runnerProcess } from './support/processes.ts'
import { git, sampleRepo } from './support/sample.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

const ended = (event: AnyEvent) => event.type === 'turn.ended'

const gates = createGates()
let parent: string
let server: GitServer

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-live-'))
  server = await startGitServer(parent, gates)
})

afterAll(async () => {
  await server.close()
  await rm(parent, { recursive: true, force: true })
})

const create = async ({ client }: World, repositories: Repository[], prompt: string) =>
  (await client.createSession({ params: { project }, body: { prompt, repositories } })).id

/** Sends a command to the agent; gives what it printed. */
const run = async (world: World, session: string, command: string): Promise<string> => {
  const params = { project, session }
  const { seq } = await world.client.createPrompt({ params, body: { content: `run: ${command}` } })
  const log = await world.until(session, ended, { after: seq })
  expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
  const result = log.findLast((event) => event.type === 'tool.result')
  return result?.type === 'tool.result' ? result.data.text : ''
}

const stateOf = (world: World, session: string, name: string, wanted: string) =>
  world.settled(session, ({ repositories }) =>
    repositories.some((item) => item.name === name && item.state === wanted),
  )

const clonesIn = ({ dataDir }: World, session: string) =>
  readdir(join(dataDir, 'sessions', session, 'clones'))
const isThere = ({ dataDir }: World, session: string, path: string) =>
  existsSync(join(dataDir, 'sessions', session, 'workspace', path))

describe('repositories of a live session', { timeout: 180_000 }, () => {
  it('[P67] one is added between two turns and removed later; the conversation and its place stay', () =>
    withWorld(async (world) => {
      const { client } = world
      const near = await sampleRepo(parent, 'near')
      await sampleRepo(parent, 'far')
      const session = await create(world, [{ url: near }], 'run: pwd')
      const params = { project, session }
      await world.until(session, ended)
      const url = `${server.url}/far/.git`
      await client.addRepository({ params, body: { url, name: 'far' } })
      await stateOf(world, session, 'far', 'ready')
      expect(await run(world, session, 'pwd; ls ../far/README.md')).toMatch(/\/near\n\.\.\/far\/README\.md$/)
      const live = await client.getSessionGit({ params })
      expect(live).toMatchObject({
        source: 'live',
        repositories: [{ name: 'near' }, { name: 'far', ahead: 0 }],
      })
      await run(world, session, 'cd ../far && echo more >more.txt')
      const there = { ...params, name: 'far' }
      await expect(client.removeRepository({ params: there, query: {} })).rejects.toMatchObject({
        code: 'repository_has_work',
      })
      await client.removeRepository({ params: there, query: { force: 'true' } })
      expect(await run(world, session, 'ls .. | grep -v artifacts')).toBe('near')
      await eventually(
        'an empty directory',
        async () => (await clonesIn(world, session)).length === 0 || undefined,
      )
      const log = await world.events(session)
      const conversations = log.flatMap((event) =>
        event.type === 'agent.ready' ? [event.data.conversation] : [],
      )
      expect(new Set(conversations).size).toBe(1)
      checkLog(log)
    }))

  it('[P68] one that fails holds up no other, says why, and is there after a retry', () =>
    withWorld(async (world) => {
      const { client } = world
      const good = await sampleRepo(parent, 'good')
      const late = { url: `${server.url}/late/.git`, name: 'late' }
      const session = await create(world, [{ url: good }, late], 'run: ls | grep -v artifacts')
      const params = { project, session }
      const log = await world.until(session, ended)
      expect(log.findLast((event) => event.type === 'tool.result')).toMatchObject({ data: { text: 'good' } })
      const { repositories } = await stateOf(world, session, 'late', 'failed')
      expect(repositories[1]?.message).toMatch(/late .*there is no such repository/)
      await sampleRepo(parent, 'late')
      await client.retryRepository({ params: { ...params, name: 'late' } })
      await stateOf(world, session, 'late', 'ready')
      expect(await run(world, session, 'ls | grep -v artifacts')).toBe('good\nlate')
      const again = client.retryRepository({ params: { ...params, name: 'late' } })
      await expect(again).rejects.toMatchObject({ code: 'repository_not_failed' })
      const { branches, default: main } = await client.listBranches({
        params: { project },
        query: { url: late.url },
      })
      expect([main, branches.map(({ name }) => name)]).toEqual(['main', ['main']])
      checkLog(await world.events(session))
    }))

  it('[P70] remote ones come with a depth, partially or with submodules, and what is left out is told', () =>
    withWorld(async (world) => {
      for (const name of ['deep', 'inner']) {
        const path = await sampleRepo(parent, name)
        await writeFile(join(path, 'README.md'), 'newer\n')
        await git(path, 'commit', '-qam', 'Second')
        for (const setting of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'])
          await git(path, 'config', setting, 'true')
      }
      const outer = await sampleRepo(parent, 'outer')
      await git(outer, '-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', '../inner/.git', 'in')
      await git(outer, 'config', '-f', '.gitmodules', 'submodule.in.url', '../../inner/.git')
      await git(outer, 'commit', '-qam', 'With a submodule')
      const url = `${server.url}/deep/.git`
      const repositories = [
        { url, name: 'shallow', depth: 1 },
        { url, name: 'partial', partial: true },
        { url: `${server.url}/outer/.git`, name: 'outer', submodules: true },
      ]
      const old = await git(join(parent, 'deep'), 'rev-parse', 'HEAD~:README.md')
      const each = 'for name in shallow partial; do git -C $name log --format=%s; cat $name/README.md; done'
      const missing = `git -C partial cat-file -p ${old} >/dev/null 2>err.txt || grep -c promisor err.txt`
      const session = await create(world, repositories, `run: ${each}; cat outer/in/README.md; ${missing}`)
      const log = await world.until(session, ended)
      const result = log.findLast((event) => event.type === 'tool.result')
      expect(result).toMatchObject({
        data: {
          text: expect.stringMatching(/^Second\nnewer\nSecond\nFirst version\nnewer\nnewer\n[1-9]\d*$/),
        },
      })
      const notices = log.flatMap((event) => (event.type === 'runner.notice' ? [event.data.message] : []))
      expect(notices.join('\n')).toMatch(/shallow: Only the last commit is there\./)
      expect(notices.join('\n')).toMatch(/partial: .*left at the origin/)
      const changes = await world.client.getChanges({ params: { project, session } })
      expect(changes.repositories.map(({ total }) => total.files)).toEqual([0, 0, 0])
      const saved = await world.until(session, ({ type }) => /^checkpoint\.(saved|failed)$/.test(type))
      expect(saved.at(-1)).toMatchObject({ type: 'checkpoint.saved' })
      // And they come back on an empty disk as they were.
      const params = { project, session }
      await world.client.stopSession({ params })
      await world.settled(session, ({ status }) => status.phase === 'stopped')
      await rm(join(world.dataDir, 'sessions', session), { recursive: true, force: true })
      expect(
        await run(world, session, `${each}; cat outer/in/README.md; git -C partial status --short`),
      ).toBe('Second\nnewer\nSecond\nFirst version\nnewer\nnewer')
    }))
})

describe.skipIf(process.platform !== 'linux')('killed with -9', { timeout: 240_000 }, () => {
  const killRunner = async (world: World, session: string) =>
    process.kill(await findProcess(world, session, runnerProcess), 'SIGKILL')

  it('[P69] runner or backend, while a repository is added, tried again or removed: nothing is half made', () =>
    withWorld(async (world) => {
      const { client } = world
      const near = await sampleRepo(parent, 'steady')
      await sampleRepo(parent, 'slow')
      const session = await create(world, [{ url: near }], 'run: pwd')
      const params = { project, session }
      await world.until(session, ended)
      // Added, and the runner is killed in the middle of the clone.
      const held = { url: `${server.url}/hold-add/slow/.git`, name: 'slow' }
      await client.addRepository({ params, body: held })
      await gates.reached('hold-add')
      await killRunner(world, session)
      await world.until(session, (event) => event.type === 'generation.ended')
      gates.open('hold-add')
      await stateOf(world, session, 'slow', 'ready')
      expect(await clonesIn(world, session)).toEqual([])
      // Tried again, and the backend is killed meanwhile.
      const locked = { url: `${server.url}/hold-retry/slow/.git`, name: 'again' }
      server.locked.add('/hold-retry/')
      await client.addRepository({ params, body: locked })
      await stateOf(world, session, 'again', 'failed')
      server.locked.clear()
      await client.retryRepository({ params: { ...params, name: 'again' } })
      await gates.reached('hold-retry')
      await world.stop('SIGKILL')
      gates.open('hold-retry')
      await world.start()
      await stateOf(world, session, 'again', 'ready')
      expect(await run(world, session, 'ls .. | grep -v artifacts')).toBe('again\nslow\nsteady')
      // Removed during a turn, and the runner is killed before the turn's end.
      await world.client.createPrompt({ params, body: { content: 'count slowly to 60' } })
      const { seq } = await world.client.getSession({ params })
      await world.until(session, (event) => event.type === 'block.delta', { after: seq })
      await world.client.removeRepository({ params: { ...params, name: 'slow' }, query: { force: 'true' } })
      await killRunner(world, session)
      await world.until(session, ended, { after: seq })
      expect(isThere(world, session, 'slow')).toBe(false)
      expect(await clonesIn(world, session)).toEqual([])
      expect(await run(world, session, 'ls .. | grep -v artifacts')).toBe('again\nsteady')
      checkLog(await world.events(session))
    }))
})

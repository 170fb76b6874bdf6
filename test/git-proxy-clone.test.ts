import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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
const gates = createGates()

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-origins-'))
  server = await startGitServer(parent, gates)
  const source = await sampleRepo(parent, 'source')
  for (const n of [1, 2]) {
    await writeFile(join(source, 'large.bin'), randomBytes(256 * 1024))
    await git(source, 'add', '-A')
    await git(source, 'commit', '-q', '-m', `Change ${n}`)
  }
  await git(parent, 'clone', '-q', '--bare', source, 'lib.git')
  await git(
    source,
    '-c',
    'protocol.file.allow=always',
    'submodule',
    '--quiet',
    'add',
    join(parent, 'lib.git'),
    'lib',
  )
  await git(source, 'config', '-f', '.gitmodules', 'submodule.lib.url', '../lib.git')
  await git(source, 'commit', '-q', '-a', '-m', 'With a submodule')
  await git(parent, 'clone', '-q', '--bare', source, 'app.git')
})

afterAll(async () => {
  await server.close()
  await rm(parent, { recursive: true, force: true })
})

const create = async ({ client }: World, repositories: Repository[], prompt = 'echo: done') =>
  (await client.createSession({ params: { project }, body: { prompt, repositories } })).id

const failure = async (world: World, url: string) => {
  const id = await create(world, [{ url }])
  const { status } = await world.settled(id, ({ status: { phase } }) => phase === 'failed')
  return 'message' in status ? status.message : ''
}

describe('runners whose only way out is the backend', { timeout: 120_000 }, () => {
  it('[P106][P107] clone as they should, also with submodules, and say what has no way', () =>
    withWorld(
      async (world) => {
        const url = `${server.url}/app.git`
        const repositories = [
          { url, name: 'whole', submodules: true },
          { url, name: 'shallow', depth: 1 },
          { url, name: 'partial', partial: true },
        ]
        const look = [
          'for name in whole shallow partial; do git -C $name rev-list --count HEAD; done',
          'git -C whole/lib log -1 --format=%s',
          'git -C partial rev-list --objects --all --missing=print | grep -c "^?"',
          // What was left out comes when git wants it.
          'git -C partial show HEAD~2:large.bin | wc -c',
          'git -C shallow submodule --quiet update --init && git -C shallow/lib log -1 --format=%s',
        ]
        const session = await create(world, repositories, `run: ${look.join('; ')}`)
        const log = await world.until(session, ended)
        expect(log.find(({ type }) => type === 'tool.result')?.data).toMatchObject({
          text: '4\n1\n4\nChange 2\n1\n262144\nChange 2',
        })
        checkLog(await world.events(session))

        expect(await failure(world, parent)).toMatch(/path of some machine.*by its https:\/\/ address/)
        expect(await failure(world, 'ssh://git@example.com/lib')).toMatch(/by https:\/\/ alone/)
        expect(await failure(world, `${server.url}/none.git`)).toMatch(
          /can’t be cloned: 127\.0\.0\.1:\d+ has no repository http:\/\/127\.0\.0\.1:\d+\/none\.git/,
        )
        expect(await failure(world, `${server.url.replace('http:', 'https:')}/app`)).toMatch(
          /can’t be reached/,
        )
        expect(await failure(world, 'https://localhost:1/app')).toMatch(/localhost has no public address/)

        const branches = (where: string) =>
          world.client.listBranches({ params: { project }, query: { url: where } })
        expect((await branches(url)).branches).toHaveLength(1)
        await expect(branches('https://localhost:1/app')).rejects.toThrow(/localhost has no public address/)
      },
      { BERTH_GIT: 'proxy', BERTH_GIT_HOSTS: new URL(server.url).host },
    ))

  it('[P108] go on when the backend is killed in the middle of a pack', () =>
    withWorld(
      async (world) => {
        const url = `${server.url}/mid-kill/lib.git`
        const session = await create(world, [{ url }], 'run: git fsck --no-progress && git log --format=%s')
        await gates.reached('mid-kill')
        await world.stop('SIGKILL')
        gates.open('mid-kill')
        await world.start()
        const log = await world.until(session, ended)
        expect(log.find(({ type }) => type === 'tool.result')?.data).toMatchObject({
          text: expect.stringMatching(/Change 2\nChange 1\nFirst version$/),
        })
        expect(log.filter(({ type }) => type === 'start.failed')).toEqual([])
        checkLog(await world.events(session))
      },
      { BERTH_GIT: 'proxy', BERTH_GIT_HOSTS: new URL(server.url).host },
    ))
})

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
  const sample = await sampleRepo(parent, 'sample')
  await writeFile(join(sample, 'second.txt'), 'second\n')
  await git(sample, 'add', '-A')
  await git(sample, 'commit', '-q', '-m', 'Second version')
  for (const name of ['origin', 'other', 'hidden'])
    await git(parent, 'clone', '-q', '--bare', sample, `${name}.git`)
  server = await startGitServer(parent, gates)
})

afterAll(async () => {
  await server.close()
  await rm(parent, { recursive: true, force: true })
})

const create = async ({ client }: World, repositories: Repository[], prompt: string) =>
  (await client.createSession({ params: { project }, body: { prompt, repositories } })).id

/** What a command of the agent printed. */
const outcome = async (world: World, session: string, after = 0) => {
  const log = await world.until(session, ended, { after })
  const result = log.findLast((event) => event.type === 'tool.result')
  return { text: String((result?.data as { text?: string } | undefined)?.text), seq: log.at(-1)?.seq ?? 0 }
}

/** Has the agent run a command in a session. */
const command = async (world: World, session: string, line: string) => {
  const { seq } = await world.client.getSession({ params: { project, session } })
  await world.client.createPrompt({ params: { project, session }, body: { content: `run: ${line}` } })
  return (await outcome(world, session, seq)).text
}

const host = () => new URL(server.url).host

describe('git inside a session', { timeout: 120_000 }, () => {
  it('[P104][P105] reaches its own repositories and what the operator opens, and pushes its branch alone', () =>
    withWorld(
      async (world) => {
        const url = `${server.url}/origin.git`
        const first = 'git fetch origin && git log -1 --format=%s origin/main && git config remote.origin.url'
        const session = await create(world, [{ url }], `run: ${first}`)
        expect((await outcome(world, session)).text).toBe(`Second version\n${url}`)

        const clone = `git clone -q --depth=1 ${server.url}/other /tmp/other && git -C /tmp/other log --format=%s`
        expect(await command(world, session, clone)).toBe('Second version')

        const work =
          'echo new > new.txt && git add -A && git commit -qm New && git push -q origin HEAD 2>&1; echo $?'
        expect(await command(world, session, work)).toBe('0')
        const branch = `berth/${session}`
        const subject = await git(join(parent, 'origin.git'), 'log', '-1', '--format=%s %an', branch)
        expect(subject).toMatch(/^New /)

        const wrong =
          'git push origin HEAD:main 2>&1; git push origin HEAD:refs/tags/v1 2>&1; git push origin :main 2>&1'
        const said = await command(world, session, wrong)
        expect(said.match(/\[remote rejected\]/g)).toHaveLength(3)
        expect(said).toContain(`(a session pushes only its branch ${branch})`)
        expect(said).toContain(`To berth::${url}`)
        expect(said).not.toMatch(/127\.0\.0\.1:\d+\/git/)
        expect(await git(join(parent, 'origin.git'), 'for-each-ref', '--format=%(refname:short)')).toBe(
          `${branch}\nmain`,
        )
        checkLog(await world.events(session))
      },
      { BERTH_GIT_HOSTS: host() },
    ))

  it('[P107] is told why it does not get elsewhere, and serves itself what it runs itself', () =>
    withWorld(async (world) => {
      const session = await create(world, [{ url: join(parent, 'sample') }], 'echo: ready')
      await world.until(session, ended)
      const others = `for url in https://example.com/lib https://169.254.169.254/x ${server.url}/hidden; do git ls-remote $url 2>&1; done`
      const said = await command(world, session, others)
      expect(said.match(/remote: berth: .* none of this session’s repositories/g)).toHaveLength(3)
      expect(said).toContain("unable to access 'https://example.com/lib/'")
      expect(said).toContain(`unable to access '${server.url}/hidden/'`)

      const own = [
        'git clone -q --bare . /tmp/own.git && git -C /tmp/own.git update-server-info',
        `(python3 -m http.server 8765 --bind 127.0.0.1 --directory /tmp >/dev/null 2>&1 &)`,
        'for i in $(seq 300); do git ls-remote http://127.0.0.1:8765/own.git 2>/dev/null | grep -q refs/heads/berth && echo 1 && break; sleep 0.1; done',
      ]
      expect(await command(world, session, own.join('; '))).toBe('1')
    }))
})

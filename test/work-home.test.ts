import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type AnyEvent, sessionBranch } from '@berth/contract'
import { crashSteps } from '@berth/testing/crash-points'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { git, sampleRepo } from './support/sample.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

const ended = (event: AnyEvent) => event.type === 'turn.ended'

let parent: string
let scenarios: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-home-'))
  scenarios = join(parent, 'scenarios')
  await mkdir(scenarios)
  const text =
    'name: which\ndescription: Tells the number of the prompt.\nexample: which prompt is this?\nwhen:\n  prompt: { contains: which prompt }\nsteps:\n  - text: "prompt number {{turn}}"\n'
  await writeFile(join(scenarios, 'which.yaml'), text)
})

afterAll(() => rm(parent, { recursive: true, force: true }))

const bareRepo = async (name: string): Promise<string> => {
  const source = await sampleRepo(parent, `${name}-source`)
  await git(parent, 'clone', '-q', '--bare', source, `${name}.git`)
  return join(parent, `${name}.git`)
}

const create = async ({ client }: World, url: string, prompt: string) =>
  (
    await client.createSession({
      params: { project },
      body: { title: 'The work', prompt, repositories: [{ url, name: 'lib' }] },
    })
  ).id

/** Waits for the checkpoint after the turn that runs; gives the turn. */
const settledTurn = async (
  world: World,
  session: string,
  after = 0,
): Promise<{ turn: string; seq: number }> => {
  const log = await world.until(
    session,
    (event) => event.type === 'checkpoint.saved' && event.data.turn !== undefined,
    {
      after,
    },
  )
  const last = log.at(-1)
  const turn = last?.type === 'checkpoint.saved' ? (last.data.turn ?? '') : ''
  return { turn, seq: last?.seq ?? 0 }
}

const promptAgain = async (world: World, session: string, content: string) => {
  const { seq } = await world.client.createPrompt({ params: { project, session }, body: { content } })
  return settledTurn(world, session, seq)
}

const stop = async (world: World, session: string) => {
  await world.client.stopSession({ params: { project, session } })
  await world.settled(session, ({ status }) => status.phase === 'stopped')
}

describe('the way home', { timeout: 180_000 }, () => {
  it('[P56] pushes a stopped session’s commits and uncommitted work to a bare origin and to one with files', () =>
    withWorld(async (world) => {
      const bare = await bareRepo('bare')
      const work = await sampleRepo(parent, 'with-files')
      for (const url of [bare, work]) {
        const prompt =
          'run: echo b > b.txt && git add b.txt && git commit -qm "Add b" && echo more >> README.md && echo new > c.txt'
        const session = await create(world, url, prompt)
        await settledTurn(world, session)
        await stop(world, session)
        const params = { project, session }
        const branch = sessionBranch(session)
        const pushed = await world.client.pushSession({ params, body: {} })
        expect(pushed).toMatchObject({ branch, committed: true, unchanged: false, forced: false })
        expect(await git(url, 'rev-parse', branch)).toBe(pushed.commit)
        expect(await git(url, 'log', '--format=%s', `main..${branch}`)).toBe('The work\nAdd b')
        expect(await git(url, 'diff', '--name-status', 'main', branch)).toBe(
          'M\tREADME.md\nA\tb.txt\nA\tc.txt',
        )
        const authors = await git(url, 'log', '--format=%ae %ce', `main..${branch}`)
        expect(new Set(authors.split(/\s/))).toEqual(new Set(['owner@users.berth.invalid']))
        expect((await world.client.pushSession({ params, body: {} })).unchanged).toBe(true)
        const own = await git(url, 'commit-tree', '-m', 'Mine', 'main^{tree}')
        await git(url, 'update-ref', 'refs/heads/mine', own)
        const refused = world.client.pushSession({ params, body: { branch: 'mine' } })
        await expect(refused).rejects.toMatchObject({ code: 'push_rejected' })
        expect(await git(url, 'rev-parse', 'mine')).toBe(own)
        const events = await world.events(session)
        expect(events.filter(({ type }) => type === 'repository.pushed')).toHaveLength(1)
        checkLog(events)
      }
      const precious = world.client.pushSession({
        params: {
          project,
          session: (await world.client.listSessions({ params: { project } })).items[0]?.id ?? '',
        },
        body: { branch: 'main' },
      })
      await expect(precious).rejects.toMatchObject({ code: 'push_rejected' })
    }))

  it('[P57] gives a bundle and the files of a stopped session, without its runner and its origin', () =>
    withWorld(async (world) => {
      const url = await bareRepo('gone')
      const clone = join(parent, 'clone')
      await git(parent, 'clone', '-q', url, clone)
      const session = await create(
        world,
        url,
        'run: echo b > b.txt && git add b.txt && git commit -qm "Add b"',
      )
      await settledTurn(world, session)
      await stop(world, session)
      await rm(url, { recursive: true })
      await rm(join(world.dataDir, 'sessions', session), { recursive: true })
      const { stream } = await world.client.getBundle({ params: { project, session } })
      const file = join(parent, 'work.bundle')
      await writeFile(file, Buffer.from(await new Response(stream).arrayBuffer()))
      await git(clone, 'bundle', 'verify', '-q', file)
      await git(clone, 'fetch', '-q', file, sessionBranch(session))
      expect(await git(clone, 'show', 'FETCH_HEAD:b.txt')).toBe('b')
    }))

  it('[P58] a fork from the first turn remembers that turn only, and outlives the other session', () =>
    withWorld(
      async (world) => {
        const url = await bareRepo('forked')
        const session = await create(world, url, 'run: echo one > a.txt')
        const first = await settledTurn(world, session)
        await promptAgain(world, session, 'run: echo two > a.txt')
        const params = { project, session }
        const body = { turn: first.turn, title: 'Mine' }
        const fork = await world.client.forkSession({ params, body })
        const said = async (id: string, content: string) => {
          const { seq } = await world.client.createPrompt({
            params: { project, session: id },
            body: { content },
          })
          const log = await world.until(id, ended, { after: seq })
          return log.at(-1)
        }
        expect(await said(session, 'which prompt is this?')).toMatchObject({
          data: { message: 'prompt number 3' },
        })
        expect(await said(fork.id, 'which prompt is this?')).toMatchObject({
          data: { message: 'prompt number 2' },
        })

        const late = await world.client.forkSession({ params, body })
        await stop(world, late.id)
        await world.client.updateProjectSettings({
          params: { project },
          body: { undoHours: 0 },
          ifMatch: (await world.client.getProjectSettings({ params: { project } })).version,
        })
        await world.client.deleteSession({ params })
        await eventually('the purge', async () =>
          (await world.client.getSession({ params }).catch(() => undefined)) === undefined ? true : undefined,
        )
        for (const { id } of [fork, late]) {
          expect(await said(id, 'which prompt is this?')).toMatchObject({ data: { result: 'success' } })
          const { seq } = await world.client.createPrompt({
            params: { project, session: id },
            body: { content: 'run: cat a.txt; git symbolic-ref --short HEAD' },
          })
          const log = await world.until(id, ended, { after: seq })
          const result = log.find((event) => event.type === 'tool.result')
          expect(result).toMatchObject({ data: { text: `one\n${sessionBranch(id)}` } })
          const history: AnyEvent[] = []
          for await (const event of world.client.history(project, id)) history.push(event)
          expect(history.filter(ended)).toHaveLength(1)
          checkLog(await world.events(id))
        }
      },
      { BERTH_SCENARIOS: scenarios },
    ))

  it('[P59] takes the files back to a turn, live and stopped, and the conversation goes on', () =>
    withWorld(async (world) => {
      const url = await bareRepo('restored')
      const session = await create(world, url, 'run: echo one > a.txt')
      const first = await settledTurn(world, session)
      const second = await promptAgain(world, session, 'run: echo two > a.txt; echo extra > b.txt')
      const params = { project, session }
      const show = async () => {
        const { seq } = await world.client.createPrompt({
          params,
          body: { content: 'run: cat a.txt; ls b.txt' },
        })
        const log = await world.until(session, ended, { after: seq })
        const result = log.find((event) => event.type === 'tool.result')
        return result?.type === 'tool.result' ? result.data.text : undefined
      }
      await world.client.restoreWorkspace({ params, body: { turn: first.turn } })
      expect(await show()).toMatch(/^one\nls: /m)
      await stop(world, session)
      await world.client.restoreWorkspace({ params, body: { turn: second.turn } })
      expect(await show()).toBe('two\nb.txt')
      checkLog(await world.events(session))
    }))
})

const run = promisify(execFile)

/** Programs that end a process in the place of their n-th call, and do what they should otherwise. */
const killers = async (directory: string): Promise<string> => {
  await mkdir(directory, { recursive: true })
  for (const name of ['git', 'bwrap']) {
    const { stdout } = await run('sh', ['-c', `command -v ${name}`])
    const script = `#!/bin/sh
cd ${directory}
if [ -f armed ]; then
  n=$(($(cat count) + 1))
  echo $n >count
  if [ $n = "$(cat armed)" ]; then
    rm -f armed
    kill -9 "$(cat pid)"
    exit 1
  fi
fi
cd "$OLDPWD"
exec ${stdout.trim()} "$@"
`
    await writeFile(join(directory, name), script, { mode: 0o755 })
  }
  return directory
}

describe('a push that kill -9 cuts short', { timeout: 300_000 }, () => {
  it('[P60] leaves the origin as it was or as it should be, at every step; asked for again, it is done and told once', async () => {
    const directory = await killers(join(parent, 'killers'))
    const env = { PATH: `${directory}:${process.env.PATH}` }
    await withWorld(async (world) => {
      const url = await bareRepo('killed')
      const session = await create(world, url, 'run: echo b > b.txt')
      await settledTurn(world, session)
      await stop(world, session)
      const before = await git(url, 'for-each-ref')
      let kills = 0
      for (const step of crashSteps()) {
        const branch = `try-${step}`
        await writeFile(join(directory, 'count'), '0')
        await writeFile(join(directory, 'pid'), String(world.pid))
        await writeFile(join(directory, 'armed'), String(step))
        const push = () =>
          world.client.pushSession({
            params: { project, session },
            body: { branch },
            idempotencyKey: `key-${step}`,
          })
        const first = await push().catch(() => undefined)
        if (first === undefined) {
          kills += 1
          await world.stop()
          await world.start(env)
        }
        const { commit } = await push()
        expect(await git(url, 'rev-parse', branch)).toBe(commit)
        await git(url, 'fsck', '--strict')
        const told = (await world.events(session)).filter(
          (event) => event.type === 'repository.pushed' && event.data.branch === branch,
        )
        expect(told).toHaveLength(1)
        await git(url, 'update-ref', '-d', `refs/heads/${branch}`)
        expect(await git(url, 'for-each-ref')).toBe(before)
        if (first !== undefined) break
      }
      expect(kills).toBeGreaterThan(2)
      expect(await readFile(join(directory, 'count'), 'utf8')).not.toBe('0\n')
    }, env)
  })
})

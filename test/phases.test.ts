import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { AnyEvent, SessionSummary } from '@berth/contract'
import { crashPoints } from '@berth/testing/crash-points'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allowUntilEnded } from './support/allow.ts'
import { startGatedModel } from './support/gated-model.ts'
import { createGates, type Gates } from './support/gates.ts'
import { type GitServer, startGitServer } from './support/git-server.ts'
import { claudeProcess, findProcess, runnerProcess, signal } from './support/processes.ts'
import { sampleRepo } from './support/sample.ts'
import { checkAtRest, deliveredTexts, type Follower, follow } from './support/watched.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

const is = (type: AnyEvent['type']) => (event: AnyEvent) => event.type === type
const ended = is('turn.ended')
const there = (path: string) =>
  access(path).then(
    () => true as const,
    () => undefined,
  )

interface Surroundings {
  world: World
  gates: Gates
  git: GitServer
  local: string
  /** A word that no other session of the test has. */
  word: string
}

/** A session that is held in a phase of its life. */
interface Held {
  id: string
  /** Part of the prompt that must reach Claude Code exactly once. */
  prompt: string
  /** Lets it go on; harmless when nothing is held any more. */
  release(): Promise<void>
}

const create = async (
  { world }: Surroundings,
  prompt: string,
  more: { repositories?: { url: string; name?: string }[]; settings?: { ask: string[] } } = {},
) => (await world.client.createSession({ params: { project }, body: { prompt, ...more } })).id

const workspaceOf = ({ world }: Surroundings, id: string) => join(world.dataDir, 'sessions', id, 'workspace')

/** Stops a process until the release, so that its phase lasts. */
const freeze = async ({ world }: Surroundings, id: string, pattern: RegExp): Promise<() => Promise<void>> => {
  const pid = await findProcess(world, id, pattern)
  signal(pid, 'SIGSTOP')
  return async () => signal(pid, 'SIGCONT')
}

/** Once the prompt has its answer, saving the files waits for somebody to write to a pipe of the agent's. */
const saving = async (it: Surroundings): Promise<Held> => {
  const { world, gates, local, word } = it
  const prompt = `echo: saved ${word} hold-before-${word}`
  const id = await create(it, prompt, { repositories: [{ url: local, name: 'app' }] })
  await gates.reached(`hold-before-${word}`)
  const ignored = join(workspaceOf(it, id), 'app/.git/info/exclude')
  await mkdir(dirname(ignored), { recursive: true })
  await rm(ignored, { force: true })
  execFileSync('mkfifo', [ignored])
  gates.open(`hold-before-${word}`)
  await findProcess(world, id, /ls-files\0.*--exclude-standard/)
  const state = await world.client.getSession({ params: { project, session: id } })
  expect(state.status.phase).toBe('working')
  return { id, prompt, release: () => unblock(ignored) }
}

/** Puts a file in the place of a pipe; whoever waits at the pipe finds its end. */
const unblock = async (pipe: string): Promise<void> => {
  await writeFile(`${pipe}.file`, '')
  await rename(pipe, `${pipe}.pipe`)
  await rename(`${pipe}.file`, pipe)
  // Without a reader nobody waits.
  const end = await open(`${pipe}.pipe`, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined)
  await end?.close()
}

const phases: Record<string, (it: Surroundings) => Promise<Held>> = {
  'its runner is asked for': async (it) => {
    const prompt = `echo: asked ${it.word}`
    const id = await create(it, prompt)
    return { id, prompt, release: await freeze(it, id, runnerProcess) }
  },
  'its repository is cloned': async (it) => {
    const { gates, git, word } = it
    const prompt = `echo: cloned ${word}`
    const id = await create(it, prompt, { repositories: [{ url: `${git.url}/hold-${word}/sample/.git` }] })
    await gates.reached(`hold-${word}`)
    return { id, prompt, release: async () => gates.open(`hold-${word}`) }
  },
  'its agent starts': async (it) => {
    const prompt = `echo: started ${it.word}`
    const id = await create(it, prompt)
    return { id, prompt, release: await freeze(it, id, claudeProcess) }
  },
  'its prompt has no answer yet': async (it) => {
    const { gates, word } = it
    const prompt = `echo: answered ${word} hold-before-${word}`
    const id = await create(it, prompt)
    await gates.reached(`hold-before-${word}`)
    return { id, prompt, release: async () => gates.open(`hold-before-${word}`) }
  },
  'its answer streams': async (it) => {
    const { gates, word, world } = it
    const prompt = `write 400 words hold-midway-${word}`
    const id = await create(it, prompt)
    await world.until(id, is('block.delta'))
    return { id, prompt, release: async () => gates.open(`hold-midway-${word}`) }
  },
  'its tool runs': async (it) => {
    const prompt = `run: touch began; until [ -e go ]; do sleep 0.05; done; echo ran ${it.word}`
    const id = await create(it, prompt)
    const workspace = workspaceOf(it, id)
    await eventually(`the tool of ${id}`, () => there(join(workspace, 'began')))
    return { id, prompt, release: () => writeFile(join(workspace, 'go'), '') }
  },
  'a person is needed': async (it) => {
    const prompt = `need permission to run: echo granted ${it.word}`
    const id = await create(it, prompt, { settings: { ask: ['Bash'] } })
    await it.world.until(id, is('permission.requested'))
    return { id, prompt, release: async () => void allowUntilEnded(it.world, id) }
  },
  'its files are saved': saving,
  'it waits for a prompt': async (it) => {
    const prompt = `echo: before ${it.word}`
    const id = await create(it, prompt)
    await it.world.until(id, ended)
    return { id, prompt, release: async () => undefined }
  },
  'it stops': async (it) => {
    const held = await saving(it)
    await it.world.client.stopSession({ params: { project, session: held.id } })
    return held
  },
}

const rests = ({ status, queue, turn }: SessionSummary) =>
  queue.length === 0 && turn === undefined && ['idle', 'stopped', 'failed'].includes(status.phase)

/** The turn comes to its end, another prompt succeeds, nothing was lost or doubled, and the prompt came once. */
const goesOn = async (world: World, { id, prompt }: Held, follower: Follower): Promise<AnyEvent[]> => {
  const params = { project, session: id }
  const rest = await world.settled(id, (summary) => rests(summary) && summary.turns === 1)
  const ends = (await world.events(id)).filter(ended)
  expect(ends).toHaveLength(1)
  if (rest.desired === 'running') expect(ends[0]?.data).toMatchObject({ result: 'success' })
  await world.client.createPrompt({ params, body: { content: `echo: and ${id} goes on` } })
  await world.settled(id, (summary) => rests(summary) && summary.turns === 2)
  const events = await checkAtRest(world, id, follower)
  const last = events.findLast(ended)
  // A prompt that just reached the dying runner may have been answered by it: then there is nothing to add.
  const answer = last?.type === 'turn.ended' && last.data.attempt > 1 ? {} : { message: `and ${id} goes on` }
  expect(last?.data).toMatchObject({ result: 'success', ...answer })
  const delivered = await deliveredTexts(world, id)
  for (const text of [prompt, `echo: and ${id} goes on`])
    expect(
      delivered.filter((said) => said === text),
      `“${text}” reached Claude Code once`,
    ).toHaveLength(1)
  return events
}

/** Runs tasks, so many at once, each with its name. */
const pooled = async <T>(
  items: readonly T[],
  size: number,
  task: (item: T) => Promise<void>,
): Promise<void> => {
  const rest = items.values()
  const work = async () => {
    for (const item of rest) await task(item)
  }
  await Promise.all(Array.from({ length: size }, work))
}

describe.skipIf(process.platform !== 'linux')(
  'killed with -9 in each phase (finds processes by /proc)',
  { timeout: 180_000 },
  () => {
    let parent: string
    let git: GitServer
    let model: Awaited<ReturnType<typeof startGatedModel>>
    const gates = createGates()
    let words = 0

    beforeAll(async () => {
      parent = await mkdtemp(join(tmpdir(), 'berth-phases-'))
      await sampleRepo(parent, 'sample')
      git = await startGitServer(parent, gates)
      model = await startGatedModel(gates)
    })

    afterAll(async () => {
      await git.close()
      await model.close()
      await rm(parent, { recursive: true, force: true })
    })

    const surroundings = (world: World): Surroundings => {
      words += 1
      return { world, gates, git, local: join(parent, 'sample'), word: `w${words}x` }
    }
    const inWorld = (test: (world: World) => Promise<void>) =>
      withWorld(test, { ANTHROPIC_API_KEY: 'test-key', ANTHROPIC_BASE_URL: model.url })
    const named = async (phase: string, task: Promise<unknown>) =>
      task.catch((cause) => {
        throw new Error(`While ${phase}: ${cause instanceof Error ? cause.message : cause}`, { cause })
      })

    it('[P18] the backend, with a session in each phase: nothing is lost or doubled, and no turn is begun again', () =>
      inWorld(async (world) => {
        const held: { phase: string; session: Held; follower: Follower }[] = []
        await pooled(crashPoints(Object.entries(phases)), 3, async ([phase, enter]) => {
          const session = await enter(surroundings(world))
          held.push({ phase, session, follower: follow(world, session.id) })
        })
        await world.stop('SIGKILL')
        await world.start()
        await Promise.all(held.map(({ session }) => session.release()))
        await pooled(held, 3, ({ phase, session, follower }) =>
          named(
            phase,
            goesOn(world, session, follower).then((events) => {
              const attempts = events.filter(is('turn.started')).map(({ data }) => data)
              expect(attempts, 'no turn is begun again').toMatchObject([{ attempt: 1 }, { attempt: 1 }])
            }),
          ).then(() => follower.close()),
        )
      }))

    const kill = (names: readonly string[], find: (world: World, id: string) => Promise<number>) =>
      inWorld((world) =>
        pooled(crashPoints(names), 2, async (phase) => {
          const round = async () => {
            const session = await (phases[phase] ?? saving)(surroundings(world))
            const follower = follow(world, session.id)
            signal(await find(world, session.id), 'SIGKILL')
            await session.release()
            await goesOn(world, session, follower)
            await follower.close()
            await world.client.deleteSession({ params: { project, session: session.id } })
          }
          await named(phase, round())
        }),
      )
    const all = Object.keys(phases)

    it('[P19] the runner, in each phase: the turn goes on, and its prompt comes once', () =>
      kill(all, (world, id) => findProcess(world, id, runnerProcess)))

    it('[P19] the runner’s supervisor: the runner ends with it, the turn goes on, and its prompt comes once', () =>
      kill(
        ['its runner is asked for', 'its answer streams', 'its files are saved', 'it stops'],
        (world, id) => world.runnerPid(id),
      ))

    it('[P20] Claude Code, in each phase: the turn goes on, and its prompt comes once', () =>
      kill(
        all.filter((phase) => !['its runner is asked for', 'its repository is cloned'].includes(phase)),
        (world, id) => findProcess(world, id, claudeProcess),
      ))
  },
)

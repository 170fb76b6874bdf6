import { describe, expect, it } from 'vitest'
import { project, type World, withWorld } from './support/world.ts'

const ended = (event: { type: string }) => event.type === 'turn.ended'

/** Two sessions on one machine: one misbehaves with everything that it may use, the other does its work meanwhile. */
const besideNoise = async (world: World, command: string) => {
  const { client, until, settled } = world
  const create = (settings = {}) => client.createSession({ params: { project }, body: { settings } })
  const [noisy, quiet] = await Promise.all([create({ memoryMiB: 768, processes: 200 }), create()])
  for (const { id } of [noisy, quiet]) await settled(id, ({ status }) => status.phase === 'idle')
  const prompt = (session: string, content: string) =>
    client.createPrompt({ params: { project, session }, body: { content } })
  const { seq } = await prompt(noisy.id, `run: ${command}`)
  // The noise has begun when the tool that makes it runs.
  await until(noisy.id, (event) => event.type === 'block.completed' && event.seq > seq)
  await prompt(quiet.id, 'run: echo quiet $((6 * 7))')
  const log = await until(quiet.id, ended)
  expect(log.at(-1)).toMatchObject({
    data: { result: 'success', message: expect.stringContaining('quiet 42') },
  })
  expect(log.filter(({ type }) => type === 'agent.exited' || type === 'generation.ended')).toEqual([])
  return { noisy: noisy.id, seq, prompt }
}

describe('a session that takes all it can get', { timeout: 180_000 }, () => {
  it('[P80] does not disturb others with a fork bomb, and can be interrupted and used again', () =>
    withWorld(async (world) => {
      const { client, until } = world
      const bomb = 'bomb() { bomb | bomb & }; bomb; sleep 300'
      const { noisy, seq, prompt } = await besideNoise(world, bomb)
      const params = { project, session: noisy }
      await client.interruptSession({ params }).catch(() => undefined)
      await until(noisy, ended, { after: seq })
      const again = await prompt(noisy, 'run: echo back $((2 + 3))')
      const log = await until(noisy, ended, { after: again.seq })
      expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
    }))

  it('[P80] does not disturb others by eating memory: its own command is told that there is no more', () =>
    withWorld(async (world) => {
      const hog = `node -e "const a = []; for (;;) a.push(Buffer.alloc(32 * 1024 * 1024, 1))"; echo ended with $?`
      const { noisy, seq, prompt } = await besideNoise(world, hog)
      await world.until(noisy, ended, { after: seq })
      const again = await prompt(noisy, 'run: echo back $((2 + 3))')
      const log = await world.until(noisy, ended, { after: again.seq })
      expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
    }))

  it.each([
    ['100,000 files', 'mkdir many && seq -f many/%g 100000 | xargs touch', /100000|files/],
    ['a file of 5 GB', 'truncate -s 5G large', /larger|MiB/],
  ])(
    '[P81] with a workspace of %s: the checkpoint is refused in words, and others work on',
    (_what, command, says) =>
      withWorld(async (world) => {
        const { client, until } = world
        const settings = { checkpointFiles: 50_000, checkpointMiB: 512 }
        const big = await client.createSession({
          params: { project },
          body: { prompt: `run: ${command}; echo made`, settings },
        })
        const quiet = await client.createSession({ params: { project }, body: { prompt: 'run: echo quiet' } })
        const done = await until(quiet.id, ended)
        expect(done.at(-1)).toMatchObject({ data: { result: 'success' } })
        const log = await until(big.id, ({ type }) => type === 'checkpoint.failed')
        expect(log.at(-1)).toMatchObject({ data: { message: expect.stringMatching(says) } })
        await until(quiet.id, ({ type }) => type === 'checkpoint.saved')
        const { seq } = await client.createPrompt({
          params: { project, session: big.id },
          body: { content: 'run: rm -rf many large; echo small' },
        })
        await until(big.id, ({ type }) => type === 'checkpoint.saved', { after: seq })
      }),
  )
})

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { containersImpossible } from '@berth/sandbox/conformance'
import { startGitHttpServer } from '@berth/testing'
import { describe, expect } from 'vitest'
import { describeTree } from './fixtures/describe-tree.ts'
import { startPod } from './fixtures/pod.ts'
import { rigTest, source } from './fixtures/rig-test.ts'
import type { Rig } from './fixtures/runner-process.ts'

const pods: ReturnType<typeof startPod>[] = []

const it = rigTest.extend<{ start: typeof startPod }>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs
  start: async ({}, use) => {
    await use((rig, options) => {
      const pod = startPod(rig, options)
      pods.push(pod)
      return pod
    })
    for (const pod of pods.splice(0)) await pod.close()
  },
})

/** Everything that a checkpoint has to bring back. */
const work =
  'run: git commit -q --allow-empty -m Own; echo x >new.txt; printf "\\0\\377" >binary; ln -s new.txt link; ' +
  'printf "#!/bin/sh\\n" >tool; chmod +x tool; mkdir -p deep/empty; id -u; id -g'

/** Interrupts the turn that runs, once the agent of this generation has done something in it. */
const interrupted = async (rig: Rig, attempt: number) => {
  const { data } = await rig.home.waitFor(
    'turn.started',
    (event) =>
      event.data.attempt === attempt &&
      rig.home.of('turn.ended').every((end) => end.data.turn !== event.data.turn),
  )
  await rig.home.waitFor('block.completed', ({ generation }) => generation === rig.home.generation)
  rig.home.append('turn.interrupt_requested', { turn: data.turn })
}

describe.skipIf(containersImpossible !== undefined)(
  '[P126] a session in containers',
  { timeout: 180_000 },
  () => {
    it('works with three users, and goes on from its checkpoint on an empty disk', async ({
      open,
      start,
    }) => {
      const rig = await open()
      const path = source(rig, 'lib')
      const server = await startGitHttpServer({ root: rig.sources })
      rig.home.welcome.repositories = [{ url: `${server.url}/${path.split('/').at(-1)}` }]
      const first = start(rig)
      const told = await rig.prompt(work).ended
      expect(told.data.result).toBe('success')
      const tested = rig.home.of('isolation.tested').at(-1)?.data
      expect(tested).toMatchObject({ sandbox: 'container', sandboxed: true, ok: true })
      const { workspace, home } = first.layout.outside
      expect(statSync(join(workspace, 'lib')).uid).toBe(22_001)
      expect(statSync(join(home, '.gitconfig'))).toMatchObject({ uid: 22_000, gid: 22_002 })
      await rig.home.waitFor('checkpoint.saved')
      const before = describeTree(workspace)
      // In the middle of a turn, without a word.
      const running = rig.prompt('run: echo half >half.txt; sleep 600')
      await running.started
      await expect.poll(() => existsSync(join(workspace, 'lib/half.txt')), { timeout: 60_000 }).toBe(true)
      await first.kill()
      await server.close()

      rig.home.nextGeneration()
      const second = start(rig)
      await interrupted(rig, 2)
      expect((await running.ended).data).toMatchObject({ attempt: 2, result: 'interrupted' })
      expect(rig.home.of('conversation.rebuilt')).toEqual([])
      const after = describeTree(second.layout.outside.workspace)
      expect(after).toEqual(expect.arrayContaining(before.filter((line) => !line.startsWith('/lib/.git'))))
      expect((await rig.prompt('run: cat new.txt').ended).data.result).toBe('success')
      rig.home.append('session.stop_requested', { reason: 'user' })
      expect((await second.runner.exited).code).toBe(0)
      await second.workspace.ended
      expect(readdirSync(second.layout.outside.clones)).toEqual([])
    })

    it('saves what a turn has done when it is told to end, though the agent’s container ends first', async ({
      open,
      start,
    }) => {
      const rig = await open()
      const pod = start(rig)
      await rig.prompt('write first.md: one').ended
      await rig.home.waitFor('checkpoint.saved')
      rig.prompt('run: echo two >second.md; sleep 600')
      const second = join(pod.layout.outside.workspace, 'second.md')
      await expect.poll(() => existsSync(second), { timeout: 60_000 }).toBe(true)
      // As a kubelet ends a pod.
      pod.workspace.terminate()
      pod.runner.child.kill('SIGTERM')
      pod.agent.terminate()
      expect((await pod.runner.exited).code).toBe(5)
      const saved = rig.home.of('checkpoint.saved').at(-1)
      expect(saved?.data).toMatchObject({ number: 2, reason: 'signal', files: 2 })
    })

    it('goes on when all of the agent’s container was killed for its memory', async ({ open, start }) => {
      const rig = await open()
      const pod = start(rig)
      await rig.prompt('write first.md: one').ended
      const running = rig.prompt('run: echo up >up; sleep 600')
      await expect
        .poll(() => existsSync(join(pod.layout.outside.workspace, 'up')), { timeout: 60_000 })
        .toBe(true)
      pod.agent.kill()
      await pod.agent.ended
      pod.restartAgent()
      const exited = await rig.home.waitFor('agent.exited')
      expect(exited.data.reason).toBe('out-of-memory')
      await rig.home.waitFor('agent.ready', ({ seq }) => seq > exited.seq)
      await interrupted(rig, 1)
      await running.ended
      expect((await rig.prompt('run: echo again').ended).data.result).toBe('success')
    })
  },
)

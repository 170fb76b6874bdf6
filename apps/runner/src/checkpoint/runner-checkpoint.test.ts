import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type CheckpointManifest, checkpointManifest } from '@berth/contract'
import { describe, expect } from 'vitest'
import { session } from '../fixtures/place.ts'
import { rigTest, source } from '../fixtures/rig-test.ts'
import type { Rig } from '../fixtures/runner-process.ts'

const it = rigTest

const manifestOf = (rig: Rig, blob: string): CheckpointManifest =>
  checkpointManifest.parse(JSON.parse(rig.home.blobs.get(blob)?.toString('utf8') ?? ''))

const treeOf = ({ trees }: CheckpointManifest, path: string) => trees.find((tree) => tree.path === path)

describe('checkpoints of a runner', { timeout: 90_000 }, () => {
  it('saves files, history and conversation after each turn, each once', async ({ open }) => {
    const rig = await open()
    const url = source(rig, 'lib')
    rig.home.welcome.repositories = [{ url }]
    const runner = rig.start()
    await rig.prompt(
      'run: cd lib; git commit -q --allow-empty -m Own; echo x >new.txt; mkdir -p deep/empty; git init -q inner; echo y >inner/y',
    ).ended
    const saved = await rig.home.waitFor('checkpoint.saved')
    expect(saved.data).toMatchObject({ number: 1, reason: 'turn', files: expect.any(Number) })
    const manifest = manifestOf(rig, saved.data.manifest.blob)
    expect(manifest).toMatchObject({ session, number: 1, turn: saved.data.turn })
    expect(manifest.trees.map(({ path }) => path)).toEqual(['', 'lib', 'lib/inner'])
    const lib = treeOf(manifest, 'lib')
    expect(lib).toMatchObject({ url, branch: 'main', emptyDirectories: ['deep/empty'] })
    expect(lib?.basePack?.parts).toHaveLength(1)
    expect(lib?.packs).toHaveLength(1)
    expect(Object.keys(lib?.refs ?? {})).toContain(`refs/heads/berth/${session}`)
    const text = (from: CheckpointManifest) =>
      (from.conversation?.files ?? [])
        .flatMap(({ parts }) => parts.map(({ blob }) => rig.home.blobs.get(blob)?.toString('utf8')))
        .join('')
    expect(text(manifest)).toContain('git init -q inner')
    await rig.prompt('write lib/second.md: more').ended
    const second = await rig.home.waitFor('checkpoint.saved', ({ data }) => data.number === 2)
    const next = manifestOf(rig, second.data.manifest.blob)
    expect(treeOf(next, 'lib')?.packs.map(({ number }) => number)).toEqual([1, 2])
    expect(treeOf(next, 'lib/inner')?.packs.map(({ number }) => number)).toEqual([1])
    expect(text(next).startsWith(text(manifest))).toBe(true)
    rig.home.append('session.stop_requested', { reason: 'user' })
    expect((await runner.exited).code).toBe(0)
    expect(rig.home.of('checkpoint.failed')).toEqual([])
    expect(rig.home.of('checkpoint.saved').at(-1)?.data).toMatchObject({ reason: 'stop' })
  })
})

describe('[P54] what can’t be saved', { timeout: 120_000 }, () => {
  it.for([
    [
      'many files',
      'run: mkdir many; seq -f many/%g 3000 | xargs touch',
      { checkpointFiles: 1000 },
      /checkpointFiles/,
    ],
    ['a large file', 'run: truncate -s 5G large', { checkpointMiB: 100 }, /checkpointMiB/],
  ] as const)('is told, and the session goes on: %s', async ([_what, work, settings, expected], { open }) => {
    const rig = await open({ settings })
    rig.start()
    expect((await rig.prompt(work).ended).data.result).toBe('success')
    const failed = await rig.home.waitFor('checkpoint.failed')
    expect(failed.data.message).toMatch(expected)
    expect((await rig.prompt('run: rm -rf many large; echo x >small').ended).data.result).toBe('success')
    const saved = await rig.home.waitFor('checkpoint.saved')
    expect(saved.data.files).toBe(1)
    expect(rig.home.of('checkpoint.failed')).toHaveLength(1)
  })

  it('in a full or slow blob store holds up no turn, and is saved when there is room', async ({ open }) => {
    const rig = await open()
    rig.home.store = 'full'
    rig.start()
    await rig.prompt('run: echo a').ended
    expect((await rig.home.waitFor('checkpoint.failed')).data.message).toContain('full')
    await rig.prompt('run: echo b').ended
    rig.home.store = 'stuck'
    await rig.prompt('run: echo c').ended
    const { data } = await rig.prompt('run: echo d').ended
    expect(rig.home.of('checkpoint.saved')).toEqual([])
    rig.home.store = 'open'
    await rig.home.waitFor('checkpoint.saved', (event) => event.data.turn === data.turn)
    expect(rig.home.of('checkpoint.failed')).toHaveLength(1)
  })
})

describe('a runner that is told to end', { timeout: 120_000 }, () => {
  it('saves what a turn has done so far, within its grace period', async ({ open }) => {
    const rig = await open()
    const runner = rig.start()
    await rig.prompt('write first.md: one').ended
    await rig.home.waitFor('checkpoint.saved')
    rig.prompt('run: echo two >second.md; sleep 600')
    const second = join(rig.root, 'session/workspace/second.md')
    await expect.poll(() => existsSync(second), { timeout: 60_000 }).toBe(true)
    const began = performance.now()
    runner.child.kill('SIGTERM')
    expect((await runner.exited).code).not.toBe(0)
    expect(performance.now() - began).toBeLessThan(10_000)
    rig.home.nextGeneration()
    rig.start()
    const saved = await rig.home.waitFor('checkpoint.saved', ({ data }) => data.reason === 'signal')
    expect(saved.data).toMatchObject({ number: 2, files: 2 })
    expect(saved.data.turn).toBeUndefined()
  })
})

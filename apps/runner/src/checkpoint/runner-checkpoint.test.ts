import { join } from 'node:path'
import { type CheckpointManifest, checkpointManifest } from '@berth/contract'
import { builtInScenarios } from '@berth/scripted-model'
import { describe, expect, test } from 'vitest'
import { git, session, writeFiles } from '../fixtures/place.ts'
import { createRig, type Rig, type RigOptions } from '../fixtures/runner-process.ts'

interface Fixtures {
  open(options?: Partial<RigOptions>): Promise<Rig>
}

const it = test.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs
  open: async ({}, use) => {
    const rigs: Rig[] = []
    await use(async (options = {}) => {
      const rig = await createRig({ scenarios: builtInScenarios, ...options })
      rigs.push(rig)
      return rig
    })
    for (const rig of rigs) await rig.close()
  },
})

const source = (rig: Rig, name: string) => {
  const path = join(rig.sources, name)
  git(rig.sources, 'init', '--quiet', name)
  writeFiles(path, { 'readme.md': '# Hello\n' })
  git(path, 'add', '--all')
  git(path, 'commit', '--quiet', '-m', 'First')
  return path
}

const manifestOf = (rig: Rig, blob: string): CheckpointManifest =>
  checkpointManifest.parse(JSON.parse(rig.home.blobs.get(blob)?.toString('utf8') ?? ''))

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
    expect(manifest.trees.map(({ path }) => path)).toEqual(['lib', 'lib/inner'])
    expect(manifest.trees[0]).toMatchObject({ url, branch: 'main', emptyDirectories: ['deep/empty'] })
    expect(manifest.trees[0]?.basePack?.parts).toHaveLength(1)
    expect(manifest.trees[0]?.packs).toHaveLength(1)
    expect(Object.keys(manifest.trees[0]?.refs ?? {})).toContain(`refs/heads/berth/${session}`)
    const text = (from: CheckpointManifest) =>
      (from.conversation?.files ?? [])
        .flatMap(({ parts }) => parts.map(({ blob }) => rig.home.blobs.get(blob)?.toString('utf8')))
        .join('')
    expect(text(manifest)).toContain('git init -q inner')
    await rig.prompt('write lib/second.md: more').ended
    const second = await rig.home.waitFor('checkpoint.saved', ({ data }) => data.number === 2)
    const next = manifestOf(rig, second.data.manifest.blob)
    expect(next.trees[0]?.packs.map(({ number }) => number)).toEqual([1, 2])
    expect(next.trees[1]?.packs.map(({ number }) => number)).toEqual([1])
    expect(text(next).startsWith(text(manifest))).toBe(true)
    rig.home.append('session.stop_requested', { reason: 'user' })
    expect((await runner.exited).code).toBe(0)
    expect(rig.home.of('checkpoint.failed')).toEqual([])
    expect(rig.home.of('checkpoint.saved').at(-1)?.data).toMatchObject({ reason: 'stop' })
  })
})

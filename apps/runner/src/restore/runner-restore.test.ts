import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
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

const stop = async (rig: Rig, runner: ReturnType<Rig['start']>) => {
  rig.home.append('session.stop_requested', { reason: 'user' })
  return runner.exited
}

const work =
  'run: cd /workspace/lib; git commit -q --allow-empty -m Own; echo x >new.txt; chmod +x new.txt; git add new.txt; ' +
  'echo more >>readme.md; mkdir -p deep/empty; ln -s new.txt link; git init -q inner; echo y >inner/y; echo z >../loose'

describe('a restore on an empty disk', { timeout: 120_000 }, () => {
  it('brings files, history and conversation back, without origin and mirror', async ({ open }) => {
    const rig = await open()
    const url = source(rig, 'lib')
    rig.home.welcome.repositories = [{ url }]
    const first = rig.start()
    expect((await rig.prompt(work).ended).data.result).toBe('success')
    await stop(rig, first)
    expect(rig.home.of('checkpoint.saved').length).toBeGreaterThan(0)
    for (const name of ['session', 'mirrors', 'sources'])
      rmSync(join(rig.root, name), { recursive: true, force: true })
    rig.home.nextGeneration()
    const second = rig.start()
    const again = rig.prompt('write lib/second.md: more')
    const restored = await rig.home.waitFor('workspace.restored')
    expect(restored.data).toMatchObject({ checkpoint: rig.home.of('checkpoint.saved').at(-1)?.data.number })
    expect((await again.ended).data.result).toBe('success')
    const lib = join(rig.root, 'session/workspace/lib')
    expect(readFileSync(join(lib, 'new.txt'), 'utf8')).toBe('x\n')
    expect(readFileSync(join(lib, 'link'), 'utf8')).toBe('x\n')
    expect(readFileSync(join(lib, '../loose'), 'utf8')).toBe('z\n')
    expect(readFileSync(join(lib, 'inner/y'), 'utf8')).toBe('y\n')
    expect(existsSync(join(lib, 'inner/.git/HEAD'))).toBe(true)
    expect(readdirSync(join(lib, 'deep/empty'))).toEqual([])
    expect(git(lib, 'log', '--format=%s').trim()).toBe('Own\nFirst')
    expect(git(lib, 'symbolic-ref', 'HEAD').trim()).toBe(`refs/heads/berth/${session}`)
    expect(git(lib, 'status', '--porcelain', 'readme.md', 'new.txt').trim()).toBe('M readme.md\n?? new.txt')
    expect(git(lib, 'remote', 'get-url', 'origin').trim()).toBe(url)
    expect(rig.home.of('runner.notice').map(({ data }) => data.message)).toEqual([])
    const conversations = rig.home.of('agent.ready').map(({ data }) => data.conversation)
    expect(new Set(conversations).size).toBe(1)
    expect(
      rig.model.requests.at(-1) === undefined ? '' : JSON.stringify(rig.model.requests.at(-1)),
    ).toContain('git commit')
    await stop(rig, second)
  })
})

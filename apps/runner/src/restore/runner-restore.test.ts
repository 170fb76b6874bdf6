import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { git, session } from '../fixtures/place.ts'
import { rigTest, source } from '../fixtures/rig-test.ts'
import type { Rig } from '../fixtures/runner-process.ts'

const it = rigTest

const stop = async (rig: Rig, runner: ReturnType<Rig['start']>) => {
  rig.home.append('session.stop_requested', { reason: 'user' })
  return runner.exited
}

const work =
  'run: cd /workspace/lib; git commit -q --allow-empty -m Own; echo x >new.txt; chmod +x new.txt; git add new.txt; ' +
  'echo more >>readme.md; mkdir -p deep/empty; ln -s new.txt link; git init -q inner; echo y >inner/y; echo z >../loose'

describe('a restore on an empty disk', { timeout: 120_000 }, () => {
  it('[P51] brings files, history and conversation back, without origin and mirror', async ({ open }) => {
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

describe('a restore to an earlier turn', { timeout: 120_000 }, () => {
  it('sets the files back exactly, keeps what is ignored and the branch, and tells the agent', async ({
    open,
  }) => {
    const rig = await open()
    rig.home.welcome.repositories = [{ url: source(rig, 'lib') }]
    const runner = rig.start()
    const lib = join(rig.root, 'session/workspace/lib')
    await rig.prompt(work).ended
    const first = await rig.home.waitFor('checkpoint.saved')
    const change =
      'run: cd /workspace/lib; echo changed >new.txt; rm readme.md link; rmdir deep/empty deep; mkdir -p deep/other; ' +
      'echo "*.log" >.gitignore; echo kept >a.log; rm -rf inner ../loose; git init -q second; echo s >second/s; ' +
      'git add -A . ":!second"; git commit -q -m Second; echo l >../later'
    await rig.prompt(change).ended
    await rig.home.waitFor('checkpoint.saved', ({ data }) => data.number === 2)
    const { number, turn, manifest, size, files } = first.data
    rig.home.append('workspace.restore_requested', { checkpoint: { number, turn, manifest, size, files } })
    const failed = rig.home.waitFor('workspace.restore_failed').then(({ data }) => data.message)
    const done = rig.home.waitFor('workspace.restored').then(({ data }) => data)
    expect(await Promise.race([done, failed])).toMatchObject({
      checkpoint: number,
      turn,
      files,
    })
    expect(readFileSync(join(lib, 'new.txt'), 'utf8')).toBe('x\n')
    expect(readFileSync(join(lib, 'readme.md'), 'utf8')).toBe('# Hello\nmore\n')
    expect(readFileSync(join(lib, 'inner/y'), 'utf8')).toBe('y\n')
    expect(existsSync(join(lib, 'inner/.git/HEAD'))).toBe(true)
    expect(readFileSync(join(lib, '../loose'), 'utf8')).toBe('z\n')
    expect(readdirSync(join(lib, 'deep'))).toEqual(['empty'])
    expect(readFileSync(join(lib, 'a.log'), 'utf8')).toBe('kept\n')
    for (const name of ['.gitignore', 'second', '../later', '../.berth-restore'])
      expect([name, existsSync(join(lib, name))]).toEqual([name, false])
    expect(git(lib, 'log', '--format=%s').trim()).toBe('Second\nOwn\nFirst')
    await rig.prompt('run: cat new.txt').ended
    expect(JSON.stringify(rig.model.requests.at(-1))).toContain('set the files of the workspace back')
    await rig.prompt('run: cat new.txt').ended
    const last = JSON.stringify(rig.model.requests.at(-1)).split('set the files of the workspace back')
    expect(last).toHaveLength(2)
    await stop(rig, runner)
  })
})

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { operationResult } from '@berth/contract'
import { afterEach, describe, expect, it } from 'vitest'
import { createPlace, git, type Place, sandboxes, session, writeFiles } from '../fixtures/place.ts'
import { parseGitState, readGitState } from './git-state.ts'

const places: Place[] = []
afterEach(() => {
  for (const place of places.splice(0)) place.remove()
})

describe.each(sandboxes)('git’s state of a repository in $kind', (sandbox) => {
  const open = async (files?: Record<string, string>) => {
    const place = await createPlace(sandbox)
    places.push(place)
    await place.prepare([{ url: place.source('lib', files) }])
    const lib = join(place.layout.outside.workspace, 'lib')
    const repository = { name: 'lib', branch: 'main' }
    const read = () => readGitState({ repository, layout: place.layout, sandbox, timeoutMs: 60_000 })
    return { lib, read }
  }

  it('tells branches, commits ahead and behind, changed and unpushed', async () => {
    const { lib, read } = await open()
    const fresh = await read()
    expect(fresh).toMatchObject({ head: `berth/${session}`, ahead: 0, behind: 0, changed: 0, unpushed: 0 })
    expect(fresh?.branches.map(({ name, remote }) => [name, remote])).toEqual([
      [`berth/${session}`, false],
      ['main', true],
    ])
    git(lib, 'commit', '--quiet', '--allow-empty', '-m', 'Mine')
    git(lib, 'branch', 'other')
    writeFiles(lib, { 'readme.md': 'changed\n', 'new file.txt': 'x', 'dir/deep.txt': 'x' })
    expect(await read()).toMatchObject({ ahead: 1, behind: 0, changed: 3, unpushed: 1 })
    git(lib, 'update-ref', 'refs/remotes/origin/main', 'HEAD')
    git(lib, 'reset', '--quiet', '--hard', 'HEAD~')
    expect(await read()).toMatchObject({ ahead: 0, behind: 1, changed: 2, unpushed: 0 })
    git(lib, 'checkout', '--quiet', '--detach')
    expect(await read()).not.toHaveProperty('head')
  })

  it('counts the files that stand as LFS pointers', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`
    const { read } = await open({
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'a.bin': pointer,
      'deep/b.bin': pointer,
      'real.bin': 'bytes',
      'text.txt': pointer,
    })
    expect((await read())?.lfsPointers).toBe(2)
  })

  it('is not known of what is no repository any more, and traps lead nowhere', async () => {
    const { lib, read } = await open()
    const mark = join(lib, '..', 'mark')
    git(lib, 'config', 'core.fsmonitor', `touch ${mark}`)
    git(lib, 'config', 'alias.status', `!touch ${mark}`)
    expect(await read()).toMatchObject({ changed: 0 })
    expect(existsSync(mark)).toBe(false)
    git(lib, '-c', 'core.fsmonitor=', 'update-ref', '--no-deref', '-d', 'HEAD')
    writeFileSync(join(lib, '.git/HEAD'), 'nothing\n')
    expect(await read()).toBeUndefined()
  })
})

describe('what a tampered git prints', () => {
  it('gives something that can be told, whatever it is', () => {
    const huge = Array.from({ length: 5000 }, (_, index) => `ref ${'a'.repeat(40)} refs/heads/b${index}`)
    for (const text of [
      '',
      'head refs/heads/../x\ncommit zzz\napart -1 99999999999999\nchanged 1e9\nlfs x',
      'ref zz refs/heads/x\nref \0\nhead refs/heads/-x\napart',
      ['head refs/heads/main', 'apart 1 2', ...huge].join('\n'),
    ]) {
      const repositories = [parseGitState('lib', text)]
      expect(() => operationResult.parse({ kind: 'git-state', repositories })).not.toThrow()
    }
    const many = parseGitState('lib', huge.join('\n'))
    expect([many.branches.length, many.moreBranches]).toEqual([200, 4800])
  })
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createPlace, git, type Place, sandboxes, writeFiles } from '../fixtures/place.ts'
import { CloneError } from '../git/explain.ts'

const places: Place[] = []
afterEach(() => {
  for (const place of places.splice(0)) place.remove()
})

const submodule = (owner: string, url: string, path: string) => {
  git(owner, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', url, path)
  git(owner, 'commit', '--quiet', '-m', `With ${path}`)
}

describe.each(sandboxes)('a clone of which not everything is wanted, in $kind', (sandbox) => {
  const open = async () => {
    const place = await createPlace(sandbox)
    places.push(place)
    return { place, at: (name: string) => join(place.layout.outside.workspace, name) }
  }
  const notices = ({ facts }: Place) =>
    facts.flatMap((body) => (body.type === 'runner.notice' ? [body.data.message] : []))

  it('has as many commits as were asked for', async () => {
    const { place, at } = await open()
    const url = place.source('lib')
    for (const text of ['two', 'three', 'four']) {
      writeFiles(url, { 'a.txt': text })
      git(url, 'add', '--all')
      git(url, 'commit', '--quiet', '-m', text)
    }
    await place.prepare([{ url, depth: 2 }])
    expect(git(at('lib'), 'log', '--format=%s').trim().split('\n')).toEqual(['four', 'three'])
    expect(git(at('lib'), 'status', '--porcelain')).toBe('')
    expect(notices(place)).toEqual(['lib: Only the last 2 commits are there.'])
  })

  it('has the contents of its files, and not those of older ones', async () => {
    const { place, at } = await open()
    const url = place.source('lib', { 'a.txt': 'old contents', 'dir/b.txt': 'kept' })
    const old = git(url, 'rev-parse', 'HEAD:a.txt').trim()
    writeFiles(url, { 'a.txt': 'new contents' })
    git(url, 'commit', '--quiet', '--all', '-m', 'Second')
    await place.prepare([{ url, partial: true }])
    expect(readFileSync(join(at('lib'), 'a.txt'), 'utf8')).toBe('new contents')
    expect(readFileSync(join(at('lib'), 'dir/b.txt'), 'utf8')).toBe('kept')
    expect(git(at('lib'), 'status', '--porcelain')).toBe('')
    expect(git(at('lib'), 'remote', 'get-url', 'origin').trim()).toBe(url)
    expect(git(at('lib'), 'log', '--format=%s').trim()).toBe('Second\nFirst')
    git(at('lib'), 'remote', 'set-url', 'origin', '/nowhere')
    expect(() => git(at('lib'), 'cat-file', 'blob', old)).toThrow(/promisor|not appear|nowhere/)
    expect(notices(place)[0]).toMatch(/left at the origin/)
  })

  it('has submodules when they are asked for, and theirs', async () => {
    const { place, at } = await open()
    const inner = place.source('inner', { 'inner.txt': 'inner' })
    const middle = place.source('middle', { 'middle.txt': 'middle' })
    submodule(middle, '../inner', 'deep/inner')
    const url = place.source('outer', { 'outer.txt': 'outer' })
    submodule(url, middle, 'libs/middle')
    git(inner, 'commit', '--quiet', '--allow-empty', '-m', 'Later')
    await place.prepare([
      { url, submodules: true },
      { url, name: 'without' },
    ])
    expect(readFileSync(join(at('outer'), 'libs/middle/deep/inner/inner.txt'), 'utf8')).toBe('inner')
    expect(git(at('outer'), 'status', '--porcelain')).toBe('')
    expect(git(at('outer'), 'submodule', 'status', '--recursive').trim().split('\n')).toHaveLength(2)
    expect(git(join(at('outer'), 'libs/middle/deep/inner'), 'log', '--format=%s').trim()).toBe('First')
    expect(existsSync(join(at('without'), 'libs/middle/middle.txt'))).toBe(false)
  })

  it('is refused when its submodules lie elsewhere, are too deep, or are not there', async () => {
    const { place } = await open()
    const inner = place.source('inner')
    const failing = async (name: string, says: RegExp, change: (url: string) => void) => {
      const url = place.source(name)
      change(url)
      await expect(place.prepare([{ url, submodules: true }])).rejects.toThrow(says)
    }
    const pointTo = (address: string) => (url: string) => {
      submodule(url, inner, 'inner')
      git(url, 'config', '-f', '.gitmodules', 'submodule.inner.url', address)
      git(url, 'commit', '--quiet', '--all', '-m', 'Elsewhere')
    }
    await failing('outside', /no such directory below/, pointTo('/etc'))
    await failing('above', /no such directory below/, pointTo('../../../../etc'))
    await failing('helper', /not allowed/, pointTo('ext::sh -c id'))
    await failing('dashed', /dash/, pointTo('--upload-pack=id'))
    await failing('unpinned', /on none of its branches/, (url) => {
      submodule(url, inner, 'inner')
      git(url, 'update-index', '--cacheinfo', `160000,${'a'.repeat(40)},inner`)
      git(url, 'commit', '--quiet', '-m', 'Wrong pin')
    })
    await failing('itself', /levels deep|more than/, (url) => {
      const tip = git(url, 'rev-parse', 'HEAD').trim()
      writeFiles(url, { '.gitmodules': `[submodule "self"]\n\tpath = self\n\turl = ${url}\n` })
      git(url, 'add', '.gitmodules')
      git(url, 'update-index', '--add', '--cacheinfo', `160000,${tip},self`)
      git(url, 'commit', '--quiet', '-m', 'First of itself')
      for (let level = 0; level < 8; level++) {
        git(url, 'update-index', '--cacheinfo', `160000,${git(url, 'rev-parse', 'HEAD').trim()},self`)
        git(url, 'commit', '--quiet', '-m', 'Of itself')
      }
    })
  })

  it('says how many LFS pointers it has', async () => {
    const { place } = await open()
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 5\n`
    const url = place.source('lib', { '.gitattributes': '*.bin filter=lfs -text\n', 'a.bin': pointer })
    const { memory } = await place.prepare([{ url }])
    expect(notices(place)[0]).toMatch(/^lib: 1 of its files are Git LFS pointers/)
    expect(memory.current.told?.ready).toEqual([])
  })

  it('has the branch that is asked for, or none', async () => {
    const { place, at } = await open()
    const url = place.source('lib')
    git(url, 'checkout', '--quiet', '-b', 'side')
    git(url, 'commit', '--quiet', '--allow-empty', '-m', 'On the side')
    await place.prepare([{ url, branch: 'side', depth: 1, partial: true }])
    expect(git(at('lib'), 'log', '--format=%s').trim()).toBe('On the side')
    const missing = place.prepare([{ url, name: 'other', branch: 'missing', depth: 1 }])
    await expect(missing).rejects.toThrow(CloneError)
  })
})

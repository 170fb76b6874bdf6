import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseModules, resolveUrl } from './submodules.ts'

const entries = (...pairs: [string, string][]) => pairs.map(([key, value]) => `${key}\n${value}\0`).join('')

describe('a list of submodules', () => {
  it('counts as far as paths and addresses are fit', () => {
    const text = entries(
      ['submodule.good.path', 'libs/good'],
      ['submodule.good.url', '../good.git'],
      ['submodule.good.update', '!rm -rf /'],
      ['submodule.no url.path', 'libs/x'],
      ['submodule.up.path', '../up'],
      ['submodule.up.url', 'https://example.com/up'],
      ['submodule.git.path', 'a/.GIT/hooks'],
      ['submodule.git.url', 'https://example.com/git'],
      ['submodule.dash.path', '-rf'],
      ['submodule.dash.url', 'https://example.com/dash'],
      ['submodule.root.path', '/etc'],
      ['submodule.root.url', 'https://example.com/root'],
      ['submodule.../../x.path', 'fine'],
      ['submodule.../../x.url', 'https://example.com/x'],
    )
    expect([...parseModules(text)]).toEqual([['good', { path: 'libs/good', url: '../good.git' }]])
  })

  it('is read from anything without harm', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const { path } of parseModules(`submodule.x.path\n${text}\0submodule.x.url\nu\0`).values())
          expect(path.split('/')).not.toContain('..')
      }),
    )
  })
})

describe('the address of a submodule', () => {
  it.each([
    ['https://example.com/team/app.git', '../lib.git', 'https://example.com/team/lib.git'],
    ['https://example.com/team/app.git/', './lib', 'https://example.com/team/app.git/lib'],
    ['https://example.com/team/app', '../../other/lib', 'https://example.com/other/lib'],
    ['git@example.com:team/app.git', '../lib.git', 'git@example.com:team/lib.git'],
    ['/src/app', '../lib', '/src/lib'],
    ['https://example.com/app', 'ssh://git@example.com/lib', 'ssh://git@example.com/lib'],
  ])('of %s as %s is %s', (owner, written, expected) => {
    expect(resolveUrl(owner, written)).toBe(expected)
  })

  it.each([
    'ext::sh -c id',
    'file:///etc',
    '/srv/private',
    '--upload-pack=id',
    'https://a:b@example.com/x',
    'fd::3',
  ])('of a remote repository is never %s', (written) => {
    expect(() => resolveUrl('https://example.com/app', written)).toThrow(/can’t be cloned/)
  })
})

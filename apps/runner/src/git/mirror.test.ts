import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastLine } from '@berth/git'
import { afterEach, describe, expect, it } from 'vitest'
import { createPlace, git, type Place, sandboxes } from '../fixtures/place.ts'

const places: Place[] = []
afterEach(() => {
  for (const place of places.splice(0)) place.remove()
})

describe('a mirror', () => {
  const open = async () => {
    const [sandbox] = sandboxes
    if (sandbox === undefined) throw new Error('no sandbox')
    const place = await createPlace(sandbox)
    places.push(place)
    const url = place.source('lib')
    await place.prepare([{ url }])
    const directory = join(place.root, 'mirrors')
    const path = join(directory, readdirSync(directory).find((name) => name.endsWith('.git')) ?? '')
    git(url, 'commit', '--quiet', '--allow-empty', '-m', 'Second')
    git(url, 'branch', '--move', 'main', 'trunk')
    const again = async () => {
      await place.prepare([{ url, name: 'again' }])
      return git(join(place.layout.outside.workspace, 'again'), 'log', '-1', '--format=%s').trim()
    }
    return { place, path, again }
  }

  it('that is damaged is made anew, and a repository around it is left alone', async () => {
    const { place, path, again } = await open()
    git(place.root, 'init', '--quiet')
    git(place.root, 'commit', '--quiet', '--allow-empty', '-m', 'Mine')
    git(place.root, 'branch', 'precious')
    const refs = () => git(place.root, 'for-each-ref')
    const before = refs()
    rmSync(join(path, 'HEAD'))
    expect(await again()).toBe('Second')
    expect(refs()).toBe(before)
  })

  it('in which a killed git left its locks and half a pack is used again', async () => {
    const { path, again } = await open()
    for (const lock of [
      'packed-refs.lock',
      'HEAD.lock',
      'refs/heads/trunk.lock',
      'config.lock',
      'shallow.lock',
    ])
      writeFileSync(join(path, lock), '')
    writeFileSync(join(path, 'objects/pack/tmp_pack_a1B2c3'), 'half')
    mkdirSync(`${path}.0123456789ab.new`)
    expect(await again()).toBe('Second')
    expect(readdirSync(join(path, 'objects/pack')).filter((name) => name.startsWith('tmp'))).toEqual([])
    expect(readdirSync(join(path, '..')).filter((name) => /\.new$|\.lock$/.test(name))).toEqual([])
  })
})

it('what git says is shown without passwords and control characters (S19)', () => {
  const said = "fatal: unable to access 'https://bot:hunter2@example.com/a.git/': \u001b[31mno\u001b[0m"
  expect(lastLine(said)).toBe("fatal: unable to access 'https://example.com/a.git/':  [31mno [0m")
})

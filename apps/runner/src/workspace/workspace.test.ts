import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Repository, RepositorySnapshot, RunnerFactBody } from '@berth/contract'
import { fact } from '@berth/contract'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createBlobs,
  createPlace,
  git,
  type Place,
  sandboxes,
  session,
  turn,
  writeFiles,
} from '../fixtures/place.ts'
import { createWorkspace } from './workspace.ts'

const places: Place[] = []
afterEach(() => {
  for (const place of places.splice(0)) place.remove()
})

describe.each(sandboxes)('a workspace in $kind', (sandbox) => {
  const open = async () => {
    const place = await createPlace(sandbox)
    places.push(place)
    return place
  }
  const prepared = async (place: Place, list: Repository[]) => {
    const { memory } = await place.prepare(list)
    const blobs = createBlobs()
    const emitted: RunnerFactBody[] = []
    const emitter = { emit: (body: RunnerFactBody) => void emitted.push(body) }
    const { layout } = place
    const limits = { files: 1000, bytes: 10_000_000 }
    const workspace = createWorkspace({
      memory,
      session,
      layout,
      sandbox,
      emitter,
      saveBlob: blobs.save,
      limits,
    })
    const save = async (): Promise<RepositorySnapshot[]> => {
      emitted.length = 0
      await workspace.save(turn)
      for (const body of emitted) fact.parse({ n: 1, at: new Date().toISOString(), ...body })
      return emitted.flatMap((body) => (body.type === 'workspace.snapshot' ? body.data.repositories : []))
    }
    const notices = () =>
      emitted.flatMap((body) => (body.type === 'runner.notice' ? [body.data.message] : []))
    return {
      save,
      notices,
      blobs,
      state: memory.current,
      at: (name: string) => join(layout.outside.workspace, name),
    }
  }

  it('holds clones on the session branch that share nothing with the mirror', async () => {
    const place = await open()
    const url = place.source('lib', { 'a.txt': 'one\n', 'dir/b.txt': 'two\n' })
    git(url, 'branch', 'other')
    const { at } = await prepared(place, [{ url }, { url, name: 'second', branch: 'other' }])
    expect(git(at('lib'), 'symbolic-ref', 'HEAD').trim()).toBe(`refs/heads/berth/${session}`)
    expect(git(at('lib'), 'status', '--porcelain')).toBe('')
    expect(git(at('lib'), 'remote', 'get-url', 'origin').trim()).toBe(url)
    expect(git(at('lib'), 'config', 'user.name').trim()).toBe('Ada')
    expect(git(at('lib'), 'config', 'user.email').trim()).toBe('ada@users.berth.invalid')
    expect(git(at('lib'), 'for-each-ref', '--format=%(refname)', 'refs/heads').trim()).toBe(
      `refs/heads/berth/${session}`,
    )
    expect(existsSync(join(at('lib'), '.git/objects/info/alternates'))).toBe(false)
    const packs = join(at('lib'), '.git/objects/pack')
    for (const name of readdirSync(packs)) expect(statSync(join(packs, name)).nlink).toBe(1)
    const steps = place.facts.filter((body) => body.type === 'start.step' && body.data.state === 'done')
    expect(steps).toHaveLength(2)
    expect(place.facts.at(-1)).toMatchObject({
      type: 'workspace.ready',
      data: {
        repositories: [
          { name: 'lib', branch: 'main', base: expect.stringMatching(/^[0-9a-f]{40}$/) },
          { branch: 'other' },
        ],
      },
    })
    for (const body of place.facts) fact.parse({ n: 1, at: new Date().toISOString(), ...body })
    expect(readdirSync(place.layout.outside.clones)).toEqual([])
  })

  it('shows what changed since the base and since the turn before, and leaves the agent’s git alone', async () => {
    const place = await open()
    const url = place.source('lib', {
      'a.txt': 'one\n',
      'gone.txt': 'x\n',
      'old.txt': 'some\nlines\nhere\n',
      '.gitignore': 'ignored/\n',
    })
    const { at, save, blobs } = await prepared(place, [{ url }])
    const lib = at('lib')
    writeFiles(lib, { 'a.txt': 'two\n', 'ignored/x': 'no', 'new.bin': Buffer.from([0, 1, 2]) })
    rmSync(join(lib, 'gone.txt'))
    renameSync(join(lib, 'old.txt'), join(lib, 'renamed.txt'))
    symlinkSync('/etc/passwd', join(lib, 'link'))
    const before = [
      git(lib, 'status', '--porcelain'),
      git(lib, 'rev-parse', 'HEAD'),
      readFileSync(join(lib, '.git/index')).toString('hex'),
    ]
    const [first] = await save()
    expect([
      git(lib, 'status', '--porcelain'),
      git(lib, 'rev-parse', 'HEAD'),
      readFileSync(join(lib, '.git/index')).toString('hex'),
    ]).toEqual(before)
    expect(first?.files.map(({ path, from, status, binary }) => ({ path, from, status, binary }))).toEqual([
      { path: 'a.txt', from: undefined, status: 'modified', binary: false },
      { path: 'gone.txt', from: undefined, status: 'deleted', binary: false },
      { path: 'link', from: undefined, status: 'added', binary: false },
      { path: 'new.bin', from: undefined, status: 'added', binary: true },
      { path: 'renamed.txt', from: 'old.txt', status: 'renamed', binary: false },
    ])
    const content = (path: string) =>
      blobs.stored.get(first?.files.find((file) => file.path === path)?.content?.blob ?? '')?.toString('utf8')
    expect(content('a.txt')).toBe('two\n')
    expect(content('link')).toBe('/etc/passwd')
    expect(first?.total).toEqual({ files: 5, insertions: 2, deletions: 2 })
    expect(first?.turn).toEqual(first?.total)
    expect(first?.patch.text).toContain('-one\n+two')
    expect(first?.commits).toBe(0)
    expect(git(lib, 'for-each-ref', 'refs/berth')).toBe('')
    expect(first?.commit).toMatch(/^[0-9a-f]{40}$/)

    git(lib, 'add', '--all')
    git(lib, 'commit', '--quiet', '-m', 'Work')
    writeFiles(lib, { 'a.txt': 'three\n' })
    const [second] = await save()
    expect(second?.commits).toBe(1)
    expect(second?.turn).toEqual({ files: 1, insertions: 1, deletions: 1 })
    expect(second?.turnPatch.text).toContain('-two\n+three')
    expect(second?.patch.text).toContain('-one\n+three')
    expect(second?.total.files).toBe(5)
  })

  it('tracks an empty workspace as a whole, with the repositories that the agent makes in it', async () => {
    const place = await open()
    const { at, save, notices } = await prepared(place, [])
    expect(await save()).toMatchObject([{ name: 'workspace', files: [], commits: 0 }])
    writeFiles(at('.'), { 'notes.md': 'hello\n' })
    git(at('.'), 'init', '--quiet', 'nested')
    writeFiles(at('nested'), { 'in.txt': 'inside\n' })
    const [second] = await save()
    expect(notices()).toEqual([])
    expect(second?.files.map(({ path }) => path)).toContain('notes.md')
    expect(second?.base).toBeUndefined()
    expect(existsSync(at('.git'))).toBe(false)
    writeFiles(at('.'), { 'notes.md': 'hello again\n' })
    const [third] = await save()
    expect(third?.turnPatch.text).toContain('-hello\n+hello again')
  })

  it('takes an empty repository', async () => {
    const place = await open()
    const url = join(place.sources, 'empty')
    git(place.sources, 'init', '--quiet', 'empty')
    const { at, save } = await prepared(place, [{ url }])
    expect(git(at('empty'), 'symbolic-ref', 'HEAD').trim()).toBe(`refs/heads/berth/${session}`)
    writeFiles(at('empty'), { 'a.txt': 'a\n' })
    git(at('empty'), 'add', '--all')
    git(at('empty'), 'commit', '--quiet', '-m', 'First')
    const [snapshot] = await save()
    expect(snapshot).toMatchObject({ commits: 1, total: { files: 1, insertions: 1, deletions: 0 } })
    expect(snapshot?.base).toBeUndefined()
  })

  it('keeps what is there when the session goes on', async () => {
    const place = await open()
    const url = place.source('lib')
    const first = await prepared(place, [{ url }])
    await first.save()
    writeFiles(first.at('lib'), { 'work.txt': 'precious\n' })
    const again = await prepared(place, [{ url }])
    expect(readFileSync(join(again.at('lib'), 'work.txt'), 'utf8')).toBe('precious\n')
    const [snapshot] = await again.save()
    expect(snapshot?.turn).toEqual({ files: 1, insertions: 1, deletions: 0 })
  })

  it('removes what a killed start left, and clones again', async () => {
    const place = await open()
    const url = place.source('lib')
    writeFiles(place.layout.outside.clones, { 'lib.1234/half': 'x' })
    writeFiles(place.layout.outside.workspace, { 'lib/.git/half': 'x' })
    const { at } = await prepared(place, [{ url }])
    expect(git(at('lib'), 'status', '--porcelain')).toBe('')
    expect(readdirSync(place.layout.outside.clones)).toEqual([])
  })

  it.each<[string, (lib: string) => void, RegExp]>([
    [
      'its directory replaced by a link',
      (lib) => {
        rmSync(lib, { recursive: true })
        symlinkSync('/etc', lib)
      },
      /is a link now/,
    ],
    ['its directory removed', (lib) => rmSync(lib, { recursive: true }), /gone/],
  ])('survives a repository with %s', async (_what, destroy, expected) => {
    const place = await open()
    const { at, save, notices } = await prepared(place, [{ url: place.source('lib') }])
    destroy(at('lib'))
    expect(await save()).toEqual([])
    expect(notices().join()).toMatch(expected)
    expect(() => lstatSync('/etc/passwd')).not.toThrow()
  })

  it.each<[string, (lib: string) => void]>([
    ['its .git removed', (lib) => rmSync(join(lib, '.git'), { recursive: true })],
    ['its objects removed', (lib) => rmSync(join(lib, '.git/objects'), { recursive: true })],
    ['a broken index', (lib) => writeFiles(lib, { '.git/index': 'nonsense' })],
    ['a broken config', (lib) => writeFiles(lib, { '.git/config': '[nonsense' })],
  ])('saves the files of a repository with %s', async (_what, destroy) => {
    const place = await open()
    const { at, save } = await prepared(place, [{ url: place.source('lib') }])
    await save()
    destroy(at('lib'))
    writeFiles(at('lib'), { 'new.txt': 'new\n' })
    const [snapshot] = await save()
    expect(snapshot?.files.map(({ path }) => path)).toContain('new.txt')
  })

  if (sandbox.kind !== 'none')
    it('runs what an agent put into its repository only inside the sandbox', async () => {
      const place = await open()
      const { at, save } = await prepared(place, [{ url: place.source('lib') }])
      const lib = at('lib')
      const outside = join(place.root, 'sprung')
      writeFiles(lib, { '.gitattributes': '* filter=evil diff=evil\n', 'a.txt': 'a\n' })
      const bait = join(lib, 'bait.sh')
      writeFileSync(bait, `#!/bin/sh\ntouch ${outside} /workspace/inside\ncat\n`, { mode: 0o755 })
      for (const key of ['filter.evil.clean', 'diff.evil.textconv', 'diff.external', 'core.fsmonitor'])
        git(lib, 'config', key, '/workspace/lib/bait.sh')
      writeFiles(lib, { '.git/hooks/reference-transaction': '#!/bin/sh\ntouch /workspace/hook\n' })
      chmodSync(join(lib, '.git/hooks/reference-transaction'), 0o755)
      const [snapshot] = await save()
      expect(snapshot?.files.map(({ path }) => path)).toContain('a.txt')
      expect(existsSync(outside)).toBe(false)
      expect(existsSync(at('hook'))).toBe(false)
      expect(existsSync(at('inside'))).toBe(false)
    })

  it('still compares when the base was thrown away', async () => {
    const place = await open()
    const { at, save } = await prepared(place, [{ url: place.source('lib') }])
    const lib = at('lib')
    rmSync(join(lib, '.git'), { recursive: true })
    git(lib, 'init', '--quiet')
    const [snapshot] = await save()
    expect(snapshot?.files.map(({ path, status }) => `${status} ${path}`)).toEqual(['added readme.md'])
    expect(snapshot?.truncated).toContain('is gone')
  })
})

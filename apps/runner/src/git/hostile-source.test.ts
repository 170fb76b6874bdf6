import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createPlace, git, type Place, sandboxes, writeFiles } from '../fixtures/place.ts'
import { CloneError } from './explain.ts'

const places: Place[] = []
afterEach(() => {
  for (const place of places.splice(0)) place.remove()
})

const executable = (path: string, text: string) => {
  writeFileSync(path, text)
  chmodSync(path, 0o755)
}

/** Everything that git can be told to run by a repository, pointed at one program. */
const trap = (place: Place, repository: string): string => {
  const mark = join(place.root, 'sprung')
  const bait = join(place.root, 'bait.sh')
  executable(bait, `#!/bin/sh\necho "$0 $*" >> ${mark}\ncat\n`)
  const settings: [string, string][] = [
    ['core.fsmonitor', bait],
    ['core.sshCommand', bait],
    ['core.pager', bait],
    ['core.editor', bait],
    ['core.askPass', bait],
    ['core.gitProxy', bait],
    ['core.alternateRefsCommand', bait],
    ['core.hooksPath', join(repository, '.git/hooks')],
    ['uploadpack.packObjectsHook', bait],
    ['uploadpack.allowFilter', 'true'],
    ['credential.helper', `!${bait}`],
    ['diff.external', bait],
    ['filter.evil.clean', bait],
    ['filter.evil.smudge', bait],
    ['filter.evil.process', bait],
    ['filter.evil.required', 'true'],
    ['gpg.program', bait],
    ['include.path', join(place.root, 'included')],
    ['remote.origin.url', `ext::${bait}`],
    ['remote.origin.promisor', 'true'],
    ['remote.origin.uploadpack', bait],
    ['remote.origin.vcs', 'evil'],
    ['protocol.ext.allow', 'always'],
  ]
  for (const [key, value] of settings) git(repository, 'config', key, value)
  writeFiles(place.root, { included: `[core]\n\tfsmonitor = ${bait}\n` })
  for (const hook of [
    'post-checkout',
    'pre-commit',
    'post-upload-pack',
    'reference-transaction',
    'post-index-change',
  ])
    executable(join(repository, '.git/hooks', hook), `#!/bin/sh\necho hook >> ${mark}\n`)
  return mark
}

describe.each(sandboxes)('a hostile local repository, in $kind', (sandbox) => {
  const open = async () => {
    const place = await createPlace(sandbox)
    places.push(place)
    return place
  }

  it('is cloned without running anything that it names', async () => {
    const place = await open()
    const url = place.source('lib', {
      '.gitattributes': '* filter=evil diff=evil\n',
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch%20/tmp/berth-never\n',
      'a.txt': 'a\n',
    })
    const mark = trap(place, url)
    await place.prepare([{ url }])
    const clone = join(place.layout.outside.workspace, 'lib')
    expect(git(clone, 'show', 'HEAD:a.txt')).toBe('a\n')
    expect(existsSync(mark)).toBe(false)
    const config = git(clone, 'config', '--local', '--list')
    expect(config).not.toMatch(/fsmonitor|filter|ext::|bait/)
    expect(readdirSync(join(clone, '.git'))).not.toContain('hooks')
    // And again, when the mirror is there and the source has moved on.
    const second = git(url, 'commit-tree', '-p', 'HEAD', '-m', 'Second', 'HEAD^{tree}').trim()
    writeFileSync(join(url, '.git/refs/heads/main'), `${second}\n`)
    rmSync(mark, { force: true })
    await place.prepare([{ url, name: 'again' }])
    expect(git(join(place.layout.outside.workspace, 'again'), 'log', '-1', '--format=%s').trim()).toBe(
      'Second',
    )
    expect(existsSync(mark)).toBe(false)
  })

  const refused = async (place: Place, url: string, branch?: string) => {
    const error = await place.prepare([{ url, ...(branch === undefined ? {} : { branch }) }]).then(
      () => expect.unreachable(),
      (caught) => caught,
    )
    expect(error).toBeInstanceOf(CloneError)
    expect(readdirSync(place.layout.outside.workspace)).toEqual([])
    expect(readdirSync(place.layout.outside.clones)).toEqual([])
    return (error as Error).message
  }

  it('must lie under an allowed directory, after every link is followed', async () => {
    const place = await open()
    const outside = join(place.root, 'outside')
    mkdirSync(outside)
    git(outside, 'init', '--quiet')
    git(outside, 'commit', '--quiet', '--allow-empty', '-m', 'Secret')
    symlinkSync(outside, join(place.sources, 'link'))
    const elsewhere = /no such directory below the ones that the operator allows/
    expect(await refused(place, join(place.sources, 'link'))).toMatch(elsewhere)
    expect(await refused(place, outside)).toMatch(elsewhere)
    expect(await refused(place, `file://${outside}`)).toMatch(elsewhere)
    expect(await refused(place, join(place.sources, 'missing'))).toMatch(elsewhere)
  })

  it('is refused when it is no repository, or lacks the branch', async () => {
    const place = await open()
    mkdirSync(join(place.sources, 'plain'))
    expect(await refused(place, join(place.sources, 'plain'))).toMatch(/no such repository/)
    const url = place.source('lib')
    git(url, 'branch', 'release')
    expect(await refused(place, url, 'missing')).toMatch(
      /branch missing does not exist\. Branches: main, release/,
    )
  })

  it('does not keep the others from starting when it fails, and leaves no half clone', async () => {
    const place = await open()
    const url = place.source('lib')
    const missing = { url: join(place.sources, 'missing') }
    const { repositories, memory } = await place.prepare([{ url }, missing])
    expect([...repositories.failures.keys()]).toEqual(['missing'])
    expect(memory.current.repositories.map(({ name }) => name)).toEqual(['lib'])
    expect(memory.current.directory).toBe('')
    expect(readdirSync(place.layout.outside.clones)).toEqual([])
    const failed = place.facts.filter(
      (body) => body.type === 'repository.state' && body.data.state === 'failed',
    )
    expect(failed).toMatchObject([{ data: { name: 'missing', message: expect.stringContaining('no such') } }])
    await expect(place.prepare([missing])).rejects.toThrow(CloneError)
  })

  it('follows branches that are forced, deleted and renamed', async () => {
    const place = await open()
    const url = place.source('lib')
    git(url, 'branch', 'gone')
    git(url, 'tag', 'v1')
    await place.prepare([{ url }])
    git(url, 'branch', '-D', 'gone')
    git(url, 'commit', '--quiet', '--amend', '-m', 'Forced')
    git(url, 'branch', 'gone/deeper')
    await place.prepare([{ url, name: 'again' }])
    const again = join(place.layout.outside.workspace, 'again')
    expect(git(again, 'log', '-1', '--format=%s').trim()).toBe('Forced')
    expect(git(again, 'for-each-ref', '--format=%(refname)', 'refs/remotes')).toContain('origin/gone/deeper')
  })

  it('may be shallow', async () => {
    const place = await open()
    const full = place.source('full')
    for (const text of ['b', 'c']) git(full, 'commit', '--quiet', '--allow-empty', '-m', text)
    git(place.sources, 'clone', '--quiet', '--depth', '1', `file://${full}`, 'shallow')
    await place.prepare([{ url: join(place.sources, 'shallow') }])
    const clone = join(place.layout.outside.workspace, 'shallow')
    expect(git(clone, 'log', '--format=%s').trim()).toBe('c')
  })

  it('may be a linked worktree or a submodule, and is taken at its own branch', async () => {
    const place = await open()
    const main = place.source('lib', { 'a.txt': 'a\n' })
    git(main, 'worktree', 'add', '--quiet', '-b', 'side', join(place.sources, 'side'))
    git(join(place.sources, 'side'), 'commit', '--quiet', '--allow-empty', '-m', 'On the side')
    const outer = place.source('outer')
    git(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', main, 'inner')
    await place.prepare([{ url: join(place.sources, 'side') }, { url: join(outer, 'inner') }])
    const at = (name: string) => join(place.layout.outside.workspace, name)
    expect(git(at('side'), 'log', '-1', '--format=%s').trim()).toBe('On the side')
    expect(git(at('inner'), 'show', 'HEAD:a.txt')).toBe('a\n')
    expect(
      place.facts.flatMap((body) => (body.type === 'workspace.ready' ? body.data.repositories : [])),
    ).toMatchObject([{ branch: 'side' }, { branch: 'main' }])
  })

  it('may have a name that is no percent-encoding', async () => {
    const place = await open()
    const url = place.source('100%')
    await place.prepare([{ url: `file://${url}`, name: 'all' }])
    expect(git(join(place.layout.outside.workspace, 'all'), 'log', '-1', '--format=%s').trim()).toBe('First')
  })

  // Without a sandbox nothing hides the rest of the machine.
  if (sandbox.kind !== 'none')
    it('brings nothing from outside of it: alternates and a linked .git lead nowhere', async () => {
      const place = await open()
      const secret = join(place.root, 'secret')
      mkdirSync(secret)
      git(secret, 'init', '--quiet')
      writeFiles(secret, { 'secret.txt': 'secret\n' })
      git(secret, 'add', '--all')
      git(secret, 'commit', '--quiet', '-m', 'Secret')
      const borrowing = join(place.sources, 'borrowing')
      git(place.sources, 'clone', '--quiet', '--shared', secret, 'borrowing')
      expect(await refused(place, borrowing)).toMatch(/borrows objects of another repository .* git repack/)
      const linked = join(place.sources, 'linked')
      mkdirSync(linked)
      symlinkSync(join(secret, '.git'), join(linked, '.git'))
      expect(await refused(place, linked)).toMatch(/no such repository/)
      const filed = place.source('filed')
      renameSync(join(filed, '.git'), join(place.root, 'moved'))
      writeFileSync(join(filed, '.git'), `gitdir: ${join(place.root, 'moved')}\n`)
      expect(await refused(place, filed)).toMatch(/its repository is not below the directories/)
      // A repository that is allowed, but names one that isn't as the one it shares.
      const sharing = join(place.sources, 'sharing')
      mkdirSync(join(place.sources, 'own'))
      writeFiles(sharing, { '.git': `gitdir: ${join(place.sources, 'own')}\n` })
      for (const [name, text] of Object.entries({
        commondir: join(secret, '.git'),
        HEAD: 'ref: refs/heads/main',
      }))
        writeFileSync(join(place.sources, 'own', name), text)
      expect(await refused(place, sharing)).toMatch(/its repository is not below the directories/)
      mkdirSync(join(place.sources, 'piped'))
      execFileSync('mkfifo', [join(place.sources, 'piped/.git')])
      expect(await refused(place, join(place.sources, 'piped'))).toMatch(/no such repository/)
    })
})

import { describe, expect, it } from 'vitest'
import {
  branchProblem,
  directoryName,
  repositories,
  repositoryName,
  repositoryProblem,
  sessionBranch,
} from './repository.ts'

describe('branches', () => {
  it.each(['main', 'feature/x', 'a.b', 'ünï', 'v1.0', 'x@y', 'a-b', sessionBranch('ses_1')])(
    'allows %j',
    (name) => {
      expect(branchProblem(name)).toBeUndefined()
    },
  )

  it.each([
    '',
    '-x',
    '--upload-pack=x',
    'a b',
    'a\tb',
    'a\0',
    'a\nb',
    'a..b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    '@',
    'a@{1}',
    'a.',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a\x7f',
    'x'.repeat(201),
  ])('refuses %j', (name) => {
    expect(branchProblem(name)).toBeTypeOf('string')
  })
})

describe('locations', () => {
  it.each([
    'https://github.com/a/b.git',
    'http://localhost:3000/a',
    'ssh://git@host/a/b',
    'git://host/a',
    'git@github.com:a/b.git',
    'file:///srv/git/a',
    '/srv/git/a',
    'https://user@host/a',
    'HTTPS://host/a',
  ])('allows %j', (url) => {
    expect(repositoryProblem(url)).toBeUndefined()
  })

  it.each([
    '',
    'ext::sh -c touch% /tmp/x',
    'fd::17',
    'EXT::x',
    '--upload-pack=x',
    '-oProxyCommand=x',
    'ssh://-oProxyCommand=x/a',
    'git@-oProxyCommand=x:a',
    'git@host:-x',
    '-git@host:a',
    'https://user:secret@host/a',
    'https://:secret@host/a',
    'https:///a',
    'https://',
    'https://host/a ',
    'https://allowed\\@other/a',
    'ftp://host/a',
    'javascript://x',
    'file://host/a',
    'file:///a/../b',
    '/a/../b',
    'relative/path',
    'a',
    'https://ho st/a',
    'https://host/a\nb',
    'https://host/\0',
    `https://host/${'a'.repeat(2048)}`,
  ])('refuses %j', (url) => {
    expect(repositoryProblem(url)).toBeTypeOf('string')
  })
})

describe('directories', () => {
  it.each([
    ['https://github.com/a/b.git', 'b'],
    ['git@github.com:a/b.git', 'b'],
    ['git@host:b', 'b'],
    ['/srv/git/a/', 'a'],
    ['https://host/a b?c', 'a-b-c'],
    ['https://host/..', 'repository'],
    ['https://host/.git', 'repository'],
    ['https://host/-rf', 'rf'],
    [`https://host/${'x'.repeat(300)}`, 'x'.repeat(100)],
  ])('names the directory of %j %j', (url, name) => {
    expect(repositoryName(url)).toBe(name)
    expect(directoryName.safeParse(name).success).toBe(true)
  })

  it('refuses two repositories of one name, given or derived, and says which', () => {
    const twice = [{ url: 'https://host/a' }, { url: 'https://other/b' }, { url: 'https://other/a.git' }]
    const issue = repositories.safeParse(twice).error?.issues[0]
    expect(issue).toMatchObject({ path: [2, 'name'], message: 'another repository is named a' })
    expect(repositories.safeParse([{ url: '/a' }, { url: '/x/a', name: 'b' }]).success).toBe(true)
  })
})

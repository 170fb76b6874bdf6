import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { targetOf } from './git-target.ts'

describe('a repository’s address', () => {
  it.each([
    ['https://github.com/org/repo', 'https://github.com/org/repo.git'],
    ['https://github.com/org/repo', 'https://github.com/org/repo/'],
    ['https://github.com/org/repo', 'https://github.com/org/repo.git/'],
    ['https://github.com/org/repo', 'https://GitHub.com/org/repo'],
    ['https://github.com/org/repo', 'HTTPS://github.com:443/org/repo.git'],
    ['https://github.com/org/repo', 'https://me@github.com/org/repo.git'],
    ['https://github.com/org/repo', 'https://me:secret@github.com/org//repo'],
    ['https://github.com/org/a b'.replace(' ', '+'), 'https://github.com/org/a%2Bb'],
    ['http://127.0.0.1:80/a', 'http://2130706433/a'],
    ['https://[::1]/a', 'https://[0:0:0:0:0:0:0:1]:443/a.git'],
  ])('%s is the same as %s', (one, other) => {
    expect(targetOf(other)?.key).toBe(targetOf(one)?.key)
    expect(targetOf(one)).toBeDefined()
  })

  it.each([
    ['https://github.com/org/repo', 'http://github.com/org/repo'],
    ['https://github.com/org/repo', 'https://github.com:8443/org/repo'],
    ['https://github.com/org/repo', 'https://github.com/org/Repo'],
    ['https://github.com/org/repo', 'https://github.com/repo'],
    ['https://github.com/org/repo', 'https://github.com.evil.example/org/repo'],
    ['https://github.com/org/repo', 'https://github.com@evil.example/org/repo'],
  ])('%s is another one than %s', (one, other) => {
    expect(targetOf(other)?.key).not.toBe(targetOf(one)?.key)
    expect(targetOf(other)).toBeDefined()
  })

  it.each([
    'https://github.com',
    'https://github.com/',
    'https://github.com/org/../repo',
    'https://github.com/org/%2e%2e/repo',
    'https://github.com/org/%2E/repo',
    'https://github.com/org%2frepo',
    'https://github.com/org/re%00po',
    'https://github.com/org/re%0d%0apo',
    'https://github.com/org/repo?x=y',
    'https://github.com/org/repo#x',
    'https://github.com/org/re%3fpo',
    'https://github.com/org\\repo',
    'https://github.com/org/%zz',
    'https://git hub.com/org/repo',
    'https://github.com:99999/org/repo',
    'https://github.com:x/org/repo',
    'https://-x/org/repo',
    'https:///org/repo',
    'ssh://git@github.com/org/repo',
    'git@github.com:org/repo.git',
    '/srv/repo',
  ])('%s is none', (location) => {
    expect(targetOf(location)).toBeUndefined()
  })

  it('is sent on as one path that reads as it was judged, whatever was written', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9._~%@+:-]{1,12}$/)
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const target = targetOf(`https://example.com/${parts.join('/')}`)
        if (target === undefined) return
        const { pathname, host } = new URL(`https://${target.host}${target.path}`)
        expect(pathname).toBe(target.path)
        expect(host).toBe('example.com')
        expect(targetOf(target.url)).toEqual(target)
      }),
    )
  })
})

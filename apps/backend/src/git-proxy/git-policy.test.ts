import { describe, expect, it } from 'vitest'
import { parseGitHosts } from './git-hosts.ts'
import { type GitService, judgeAccess } from './git-policy.ts'
import { targetOf } from './git-target.ts'

const read = 'git-upload-pack'
const write = 'git-receive-pack'
const own = { url: 'https://github.com/org/app.git' }
const withSubmodules = { url: 'https://git.example:8443/team/app', submodules: true }
const plain = { url: 'http://intern.example/app' }

const judge = (url: string, service: GitService, hosts: string[] = []) => {
  const target = targetOf(url)
  if (target === undefined) throw new Error(`${url} is no target`)
  return judgeAccess(target, service, {
    repositories: [own, withSubmodules, plain],
    workflow: 'https://workflows.example/kit',
    hosts: parseGitHosts(hosts),
  })
}

describe('a session', () => {
  it.each<[GitService, string, string[]]>([
    [read, 'https://github.com/org/app', []],
    [write, 'https://me@GITHUB.com:443/org/app.git/', []],
    [read, 'https://workflows.example/kit.git', []],
    [read, 'https://git.example:8443/team/lib', []],
    [read, 'https://github.com/other/lib', ['github.com']],
    [read, 'https://anything.example/lib', ['*']],
    [read, 'https://a.b.corp.example/lib', ['*.corp.example']],
    [write, 'http://intern.example/app', ['intern.example']],
    [read, 'http://127.0.0.1:3000/lib', ['127.0.0.1:3000']],
    [read, 'https://[::1]:3000/lib', ['[::1]:3000']],
  ])('may %s %s with hosts %j', (service, url, hosts) => {
    expect(judge(url, service, hosts)).toMatchObject({ allowed: true })
  })

  it.each<[GitService, string, string[], RegExp]>([
    [read, 'https://github.com/other/lib', [], /none of this session’s repositories.*BERTH_GIT_HOSTS/],
    [write, 'https://github.com/other/lib', ['github.com'], /only those can be pushed to/],
    [write, 'https://workflows.example/kit', ['*'], /only those can be pushed to/],
    [write, 'https://git.example:8443/team/lib', [], /only those can be pushed to/],
    [read, 'https://git.example/team/lib', [], /not a host/],
    [read, 'http://intern.example/app', [], /without encryption.*add intern\.example/],
    [read, 'http://anything.example/lib', ['*'], /not a host/],
    [read, 'https://corp.example/lib', ['*.corp.example'], /not a host/],
    [read, 'https://evilcorp.example/lib', ['*.corp.example'], /not a host/],
    [read, 'https://github.com:8443/lib', ['github.com'], /not a host/],
    [read, 'http://127.0.0.1:3001/lib', ['127.0.0.1:3000'], /not a host/],
  ])('may not %s %s with hosts %j', (service, url, hosts, reason) => {
    expect(judge(url, service, hosts)).toMatchObject({
      allowed: false,
      reason: expect.stringMatching(reason),
    })
  })

  it('reaches private addresses only at hosts that are named', () => {
    expect(judge(own.url, read)).toMatchObject({ anyAddress: false })
    expect(judge(own.url, read, ['*'])).toMatchObject({ anyAddress: false })
    expect(judge(own.url, read, ['*.example', 'github.com'])).toMatchObject({ anyAddress: true })
  })
})

it.each(['git hub', 'https://github.com', 'github.com/org', 'a.*.b', '**', ':443', '-x', 'a:b'])(
  'a list of hosts has no %j',
  (item) => expect(() => parseGitHosts([item])).toThrow(/expected host/),
)

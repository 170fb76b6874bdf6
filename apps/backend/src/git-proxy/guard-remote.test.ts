import { expect, it } from 'vitest'
import { parseGitHosts } from './git-hosts.ts'
import { createRemoteGuard } from './guard-remote.ts'

const addresses: Record<string, string[]> = {
  'git.example': ['1.1.1.1', '2606:4700::1111'],
  'mixed.example': ['1.1.1.1', '10.0.0.1'],
}
const guard = createRemoteGuard(parseGitHosts(['*', 'intern.example:8080']), async (host) =>
  (addresses[host] ?? []).map((address) => ({ address })),
)

it('holds git to the addresses that were looked at', async () => {
  expect(await guard('https://me@Git.example/lib.git')).toEqual({
    config: [
      ['http.followRedirects', 'false'],
      ['http.curloptResolve', 'git.example:443:1.1.1.1,[2606:4700::1111]'],
    ],
  })
  expect(await guard('http://intern.example:8080/lib')).toEqual({ config: [] })
})

it.each([
  ['https://mixed.example/lib', /no public address.*add mixed\.example to BERTH_GIT_HOSTS/],
  ['https://127.0.0.1:8443/lib', /no public address.*add 127\.0\.0\.1:8443/],
  ['https://[::1]/lib', /no public address/],
  ['https://unknown.example/lib', /unknown/],
  ['http://git.example/lib', /without encryption/],
  ['ssh://git@git.example/lib', /by https:\/\/ alone/],
  ['git@git.example:lib.git', /by https:\/\/ alone/],
])('does not let it ask %s', async (url, problem) => {
  expect(await guard(url)).toEqual({ problem: expect.stringMatching(problem) })
})

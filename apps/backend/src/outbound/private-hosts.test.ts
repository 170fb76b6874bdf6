import { expect, it } from 'vitest'
import { parsePrivateHosts } from './private-hosts.ts'
import type { AddressKind } from './public-address.ts'

it.each<[list: string[], place: string, kind: AddressKind, open: boolean]>([
  [[], 'a.example:443', 'public', true],
  [[], 'a.example:443', 'private', false],
  [['a.example'], 'a.example:8443', 'private', true],
  [['A.Example:8443'], 'a.example:8443', 'private', true],
  [['a.example:8443'], 'a.example:443', 'private', false],
  [['a.example'], 'b.a.example:443', 'private', false],
  [['*'], 'b.example:80', 'private', true],
  [['*'], 'b.example:80', 'closed', false],
  [['b.example'], 'b.example:80', 'closed', false],
  [['169.254.169.254'], '169.254.169.254:80', 'closed', true],
  [['[::1]:80'], '::1:80', 'private', true],
  [['[::1]:80'], '::1:81', 'private', false],
])('%j lets %s have an address that is %s: %s', (list, place, kind, open) => {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(place) ?? []
  expect(parsePrivateHosts(list)({ host, port: Number(port) }, kind)).toBe(open)
})

it.each(['https://a', 'a b', '*.example', '[nothing]', 'a/b', ''])('refuses %j in the list', (item) =>
  expect(() => parsePrivateHosts([item])).toThrow(/is not a host/),
)

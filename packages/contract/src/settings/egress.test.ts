import { expect, it } from 'vitest'
import { limits } from '../limits.ts'
import { egressRule, egressRules } from './egress.ts'

const reference = (name: string) => `Bearer $\{secret:${name}}`

it.each([
  [
    '*',
    'https://a.example',
    'a.example:80',
    'a.example/x',
    'user@a.example',
    'a..example',
    '1.2.3',
    '0x7f.1',
  ],
  ['*.*.example', 'bücher.example', '[::1', '256.1.1.1', 'a.example.', '', 'a b', '127.0.0.01'],
])('refuses hosts such as %j', (...hosts) => {
  for (const host of hosts) expect(egressRule.safeParse({ host }).success, host).toBe(false)
})

it.each([
  { methods: [] },
  { methods: ['TRACE'] },
  { methods: ['get'] },
  { port: 0 },
  { port: 65_536 },
  { scheme: 'ftp' },
  { paths: ['x'] },
  { paths: ['/a/../b'] },
  { paths: ['/a?b'] },
  { paths: ['/a//b'] },
  { paths: ['/a***'] },
  { headers: { Host: 'b' } },
  { headers: { 'Transfer-Encoding': 'x' } },
  { headers: { 'Proxy-Authorization': 'x' } },
  { headers: { X: 'a\r\nY: b' } },
  { headers: { X: 'a', x: 'b' } },
  { other: 1 },
])('refuses a rule with %j', (part) => {
  expect(egressRule.safeParse({ host: 'a.example', ...part }).success).toBe(false)
})

it.each([
  'a.example',
  '*.a.example',
  'Registry.npmjs.org',
  '192.0.2.7',
  '[2001:db8::1]',
  'xn--bcher-kva.example',
])('takes %j as a host', (host) => {
  const rule = { host, headers: { Authorization: reference('token') }, paths: ['/-/', '/@a%2f*', '/**'] }
  expect(egressRule.parse(rule).host).toBe(host.toLowerCase())
})

it('takes so many rules and no more', () => {
  const rules = Array(limits.egressRules).fill({ host: 'a.example' })
  expect(egressRules.safeParse(rules).success).toBe(true)
  expect(egressRules.safeParse([...rules, ...rules]).success).toBe(false)
})

import type { EgressRule } from '@berth/contract'
import { expect, it } from 'vitest'
import { collectHeader, readPlace, readRule, withoutHost, withRule } from './egress-rules.ts'

it.each([
  ['a.example', { host: 'a.example' }],
  ['A.example:8443', { host: 'a.example', port: 8443 }],
  ['*.a.example', { host: '*.a.example' }],
  ['[::1]:80', { host: '[::1]', port: 80 }],
  ['[::1]', { host: '[::1]' }],
])('%s is a place', (text, place) => {
  expect(readPlace(text)).toEqual(place)
})

it('a rule has only what was said, and what is none is told', () => {
  expect(readRule('a.example', {})).toEqual({ host: 'a.example' })
  expect(readRule('a.example:81', { scheme: 'http', method: ['get', 'POST'], path: ['/x/'] })).toEqual({
    host: 'a.example',
    port: 81,
    scheme: 'http',
    methods: ['GET', 'POST'],
    paths: ['/x/'],
  })
  expect(() => readRule('https://a.example', {})).toThrow(/host: expected a host/)
  expect(() => readRule('a.example', { method: ['TRACE'] })).toThrow(/methods/)
  expect(collectHeader('X-A:  b: c', { Y: '1' })).toEqual({ Y: '1', 'X-A': 'b: c' })
  expect(() => collectHeader('nothing', undefined)).toThrow(/expected a header/)
})

it('a rule takes the place of one for the same host and paths, and goes with its host', () => {
  const rules: EgressRule[] = [
    { host: 'a.example' },
    { host: 'a.example', paths: ['/x'] },
    { host: 'b.example', port: 81 },
  ]
  const post: EgressRule = { host: 'a.example', port: 443, methods: ['POST'] }
  expect(withRule(rules, post)).toEqual([post, rules[1], rules[2]])
  expect(withRule(rules, { host: 'c.example' })).toHaveLength(4)
  expect(withoutHost(rules, 'A.example')).toEqual([rules[2]])
  expect(withoutHost(rules, 'b.example:82')).toEqual(rules)
  expect(withoutHost(rules, 'b.example:81')).toHaveLength(2)
})

import { expect, it } from 'vitest'
import { answerHeaders, requestHeaders } from './egress-headers.ts'

const sent = (asked: [string, string][], added: Record<string, string> = {}) => {
  const flat = requestHeaders(asked, added)
  return flat?.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${flat[index + 1]}`] : []))
}

it('[P190] what says where a message ends, how it travels or who sent it stays behind', () => {
  const asked: [string, string][] = [
    ['Host', 'evil.example'],
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'keep-alive, X-Hop'],
    ['X-Hop', '1'],
    ['Upgrade', 'h2c'],
    ['Proxy-Authorization', 'Basic eA=='],
    ['X-Forwarded-For', '10.0.0.1'],
    ['X-Forwarded-Host', 'a'],
    ['Forwarded', 'for=1'],
    ['Via', '1.1 x'],
    ['TE', 'trailers'],
    ['Berth-Turn', 'x'],
    ['Accept', 'a'],
    ['Accept', 'b'],
    ['Authorization', 'Bearer mine'],
  ]
  expect(sent(asked)).toEqual(['accept: a', 'accept: b', 'authorization: Bearer mine'])
})

it.each([
  [['X\r\nY', 'b']],
  [['X', 'a\r\nY: b']],
  [['X', 'a\nb']],
  [['X', 'a\0b']],
  [['X Y', 'b']],
  [['X:', 'b']],
  [['', 'b']],
])('[P190] headers with %j have no form that is passed on', (pair) => {
  expect(sent([pair as [string, string]])).toBeUndefined()
})

it('[P189] the project’s headers count before the agent’s, however those are written', () => {
  const asked: [string, string][] = [
    ['AUTHORIZATION', 'Bearer mine'],
    ['private_token', 'mine'],
    ['Accept-Encoding', 'gzip'],
    ['Range', 'bytes=0-5'],
    ['accept', '*/*'],
  ]
  expect(sent(asked, { Authorization: 'Bearer ours', 'Private-Token': 'ours' })).toEqual([
    'accept: */*',
    'accept-encoding: identity',
    'authorization: Bearer ours',
    'private-token: ours',
  ])
})

it('[P189] an answer’s headers show none of the values, nor a login that they paid for', () => {
  const headers = {
    location: '/x?key=sec-ret-1',
    'set-cookie': ['a=1', 'b=2'],
    'content-length': '5',
    connection: 'close',
    'alt-svc': 'h3=":443"',
    'x-a': ['1', 'sec-ret-1'],
  }
  expect(answerHeaders(headers, { hidden: ['sec-ret-1'] })).toEqual([
    ['location', '/x?key=[hidden]'],
    ['x-a', '1'],
    ['x-a', '[hidden]'],
  ])
  expect(answerHeaders(headers, { hidden: [] })).toEqual([
    ['location', '/x?key=sec-ret-1'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['content-length', '5'],
    ['x-a', '1'],
    ['x-a', 'sec-ret-1'],
  ])
})

import { isBerthError } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { checkHost, checkOrigin } from './guard.ts'

const outcome = (check: () => void): string => {
  try {
    check()
    return 'passes'
  } catch (error) {
    return isBerthError(error) ? error.code : 'fault'
  }
}

describe('checkHost', () => {
  it.each([
    ['127.0.0.1:7420', 'passes'],
    ['localhost', 'passes'],
    ['[::1]:7420', 'passes'],
    ['LOCALHOST:1', 'passes'],
    ['10.1.2.3:7420', 'passes'],
    ['[2001:db8::1]:7420', 'passes'],
    ['2001:db8::1', 'host_not_allowed'],
    ['10.1.2', 'host_not_allowed'],
    ['10.1.2.3.', 'host_not_allowed'],
    ['[10.1.2.3]x', 'host_not_allowed'],
    ['berth.example.com', 'passes'],
    ['evil.example.com:7420', 'host_not_allowed'],
    ['localhost.evil.com', 'host_not_allowed'],
    ['127.0.0.1.evil.com', 'host_not_allowed'],
    [undefined, 'host_not_allowed'],
  ])('%s %s', (host, expected) => {
    expect(outcome(() => checkHost(host ?? '', ['berth.example.com']))).toBe(expected)
  })
})

describe('checkOrigin', () => {
  const host = 'localhost:7420'
  it.each([
    [{}, false, 'passes'],
    [{ origin: 'http://localhost:7420' }, false, 'passes'],
    [{ origin: 'http://localhost:8080' }, false, 'origin_not_allowed'],
    [{ origin: 'https://evil.example' }, false, 'origin_not_allowed'],
    [{ origin: 'null' }, false, 'origin_not_allowed'],
    [{ 'sec-fetch-site': 'cross-site' }, false, 'origin_not_allowed'],
    [{ 'sec-fetch-site': 'same-site' }, false, 'origin_not_allowed'],
    [{ 'sec-fetch-site': 'same-origin' }, false, 'passes'],
    [{ 'sec-fetch-site': 'none' }, false, 'passes'],
    [{ 'sec-fetch-site': 'cross-site' }, true, 'passes'],
    [{ origin: 'https://evil.example' }, true, 'origin_not_allowed'],
  ])('%j, navigation %s: %s', (headers, navigation, expected) => {
    expect(outcome(() => checkOrigin({ host, headers }, navigation))).toBe(expected)
  })
})

import { describe, expect, it } from 'vitest'
import { parseLocation } from './location.ts'

describe('the address of a repository', () => {
  it.each([
    ['https://github.com/org/app.git', { scheme: 'https', place: 'github.com/org/app.git', port: 443 }],
    ['https://me:secret@github.com/org/app', { scheme: 'https', place: 'github.com/org/app' }],
    ['HTTP://Host:8080/app/', { scheme: 'http', place: 'Host:8080/app/', host: 'host', port: 8080 }],
    ['http://[::1]:8080/app', { place: '[::1]:8080/app', host: '[::1]', port: 8080 }],
  ])('%s', (address, expected) => expect(parseLocation(address)).toMatchObject(expected))

  it.each(['ssh://host/app', 'https://host', 'https:///app', '/app', 'https://a b/app', ''])(
    'is not %j',
    (address) => expect(parseLocation(address)).toBeUndefined(),
  )
})

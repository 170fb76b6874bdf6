import type { EgressRule } from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeEgress } from './egress-rules.ts'
import { readTarget } from './egress-target.ts'

/** `METHOD url` as a door would hand it on, judged by rules. */
const verdict = (asked: string, ...rules: EgressRule[]): string => {
  const [, method = '', scheme, authority = '', path = ''] =
    /^(\S+) (https?):\/\/([^/]+)(.*)$/s.exec(asked) ?? []
  const target = readTarget({ scheme: scheme as 'https', authority, target: path })
  if (target === undefined) return 'form'
  const result = judgeEgress(target, method, { rules, project: 'web' })
  return result.allowed ? 'allowed' : result.why
}

const host: EgressRule = { host: 'a.example' }

describe('[P188] the host of a rule', () => {
  it.each([
    ['GET https://a.example/', 'allowed'],
    ['GET https://A.Example:443/x?y', 'allowed'],
    ['GET https://a.example./', 'allowed'],
    ['GET https://a.example:8443/', 'host'],
    ['GET http://a.example/', 'host'],
    ['GET https://b.a.example/', 'host'],
    ['GET https://a.example.evil.example/', 'host'],
    ['GET https://aaexample/', 'host'],
    ['GET https://169.254.169.254/', 'host'],
    ['GET https://user@a.example/', 'form'],
    ['GET https://a.example@evil.example/', 'form'],
    ['GET https://a.example#x/', 'form'],
    ['GET https://a.example:0/', 'form'],
    ['GET https://a.example:99999/', 'form'],
    ['GET https://a.example%2eevil.example/', 'form'],
    ['GET https://a.example\r\nx/', 'form'],
    ['GET https://a.example', 'form'],
  ])('%s: %s', (asked, expected) => {
    expect(verdict(asked, host)).toBe(expected)
  })

  it.each<[string, EgressRule, string]>([
    ['GET https://b.a.example/', { host: '*.a.example' }, 'allowed'],
    ['GET https://c.b.a.example/', { host: '*.a.example' }, 'allowed'],
    ['GET https://a.example/', { host: '*.a.example' }, 'host'],
    ['GET https://ba.example/', { host: '*.a.example' }, 'host'],
    ['GET https://.a.example/', { host: '*.a.example' }, 'form'],
    ['GET https://xn--bcher-kva.example/', { host: 'xn--bcher-kva.example' }, 'allowed'],
    ['GET https://bücher.example/', { host: 'xn--bcher-kva.example' }, 'form'],
    ['GET https://2130706433/', { host: '127.0.0.1' }, 'allowed'],
    ['GET https://0x7f.1/', { host: '127.0.0.1' }, 'allowed'],
    ['GET https://[::0:1]/', { host: '[::1]' }, 'allowed'],
    ['GET https://[2001:DB8::1]/', { host: '[2001:0db8::1]' }, 'allowed'],
    ['GET https://[::1%25eth0]/', { host: '[::1]' }, 'form'],
    ['GET http://a.example/', { host: 'a.example', scheme: 'http' }, 'allowed'],
    ['GET http://a.example:443/', { host: 'a.example', scheme: 'http', port: 443 }, 'allowed'],
    ['GET https://a.example/', { host: 'a.example', port: 8443 }, 'host'],
  ])('%s by %j: %s', (asked, rule, expected) => {
    expect(verdict(asked, rule)).toBe(expected)
  })
})

describe('[P188] the methods of a rule', () => {
  it.each([
    ['HEAD', 'allowed'],
    ['POST', 'method'],
    ['get', 'method'],
    ['TRACE', 'method'],
    ['CONNECT', 'method'],
    ['', 'form'],
  ])('%s is %s where a rule names none', (method, expected) => {
    expect(verdict(`${method} https://a.example/`, host)).toBe(expected)
  })

  it('are those of the rule that also fits the path', () => {
    const rules: EgressRule[] = [
      { ...host, methods: ['POST'], paths: ['/upload'] },
      { ...host, paths: ['/pub/'] },
    ]
    expect(verdict('POST https://a.example/upload', ...rules)).toBe('allowed')
    expect(verdict('POST https://a.example/pub/x', ...rules)).toBe('path')
    expect(verdict('GET https://a.example/upload', ...rules)).toBe('path')
    expect(verdict('PUT https://a.example/pub/x', ...rules)).toBe('method')
  })
})

describe('[P188] the paths of a rule', () => {
  const pub: EgressRule = { ...host, paths: ['/pub/', '/v*/list', '/raw/**/x', '/@a%2fb', '/one'] }
  it.each([
    ['/pub/', 'allowed'],
    ['/pub/a/b?c=/../', 'allowed'],
    ['/pub', 'path'],
    ['/public', 'path'],
    ['/one', 'allowed'],
    ['/one/', 'path'],
    ['/v12/list', 'allowed'],
    ['/v1/2/list', 'path'],
    ['/raw/a/b/x', 'allowed'],
    ['/%70ub/x', 'allowed'],
    ['/@a%2Fb', 'allowed'],
    ['/@a/b', 'path'],
    ['/pub/../secret', 'path'],
    ['/pub/%2e%2e/secret', 'path'],
    ['/pub/..%2fsecret', 'path'],
    ['/pub/%252e%252e/secret', 'path'],
    ['/pub/..;/secret', 'path'],
    ['/pub/.;x=1/secret', 'path'],
    ['/pub//secret', 'path'],
    ['//pub/x', 'path'],
    ['/pub%2fx', 'path'],
    ['/pub/%5c..%5csecret', 'path'],
    ['/pub/%00', 'path'],
    ['/pub/%0d%0ax', 'path'],
    ['/pub/%zz', 'form'],
    ['/pub/\\..\\secret', 'form'],
    ['/pub/x y', 'form'],
    ['/pub/x#y', 'form'],
    ['/pub/\r\nx', 'form'],
    ['/pub/ü', 'form'],
  ])('%s: %s', (path, expected) => {
    expect(verdict(`GET https://a.example${path}`, pub)).toBe(expected)
  })

  it('let nothing through that a server could read as a path beside them', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '%2e',
      '%2E%2e',
      '%2f',
      '/',
      '\\',
      '%5c',
      ';',
      'pub',
      'x',
      '%25',
      '%',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const path = `/pub/${parts.join('')}`
        if (verdict(`GET https://a.example${path}`, pub) !== 'allowed') return
        // As a server that decodes, even twice, folds backslashes and cuts parameters off.
        for (const read of [path, decoded(path), decoded(decoded(path))]) {
          const plain = read.replaceAll('\\', '/').replace(/;[^/]*/g, '')
          expect(new URL(plain, 'https://a.example').pathname, path).toMatch(/^\/pub\//)
        }
      }),
    )
  })
})

it('[P188] a refusal says what is missing, and who can add it with which command', () => {
  const target = readTarget({ scheme: 'http', authority: 'b.example:8080', target: '/x?token=secret' })
  if (target === undefined) throw new Error('no target')
  const result = judgeEgress(target, 'GET', { rules: [host], project: 'web' })
  expect(result).toMatchObject({
    why: 'host',
    message:
      'The project web lets sessions reach no b.example:8080 by http. An admin of the project can allow it: berth egress allow b.example:8080 --scheme http --project web',
  })
})

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

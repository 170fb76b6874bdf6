import { BerthError, toProblem } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'
import { problemPage } from './problem-page.ts'

const browser = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' }

describe('a browser', () => {
  it('gets a problem as a page, without what was asked for coming alive in it', async () => {
    await withBackend(async ({ url }) => {
      const used = await fetch(`${url}/login?ticket=used`, { headers: browser })
      expect([used.status, used.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8'])
      expect(used.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(await used.text()).toContain('This login link was used already')
      const missing = await fetch(`${url}/a&b'c`, { headers: browser })
      expect(await missing.text()).toContain('/a&amp;b&#39;c')
    })
  })

  it('is led back to the sign-in where a problem says so, and only there', () => {
    const page = (detail: string) =>
      problemPage(toProblem(new BerthError('unauthenticated', detail), 'request-1'))
    expect(page('Begin again: /login')).toContain('Begin again: <a href="/login">/login</a>')
    for (const detail of ['There is nothing at /login/x', 'x: /login y', 'x: //evil/login'])
      expect(page(detail)).not.toContain('<a href="/login')
  })

  it('is led from the bare address to the documentation, a program is not', async () => {
    await withBackend(async ({ url }) => {
      const page = await fetch(url, { headers: browser, redirect: 'manual' })
      expect([page.status, page.headers.get('location')]).toEqual([302, '/docs'])
      const answers = [await fetch(url), await fetch(`${url}/api/none`, { headers: browser })]
      for (const { headers } of answers)
        expect(headers.get('content-type')).toContain('application/problem+json')
    })
  })
})

import { createTestBrowser, type Issuer, startIssuer, type TestBrowser } from '@berth/testing'
import type { BackendParts } from '../backend.ts'
import { createTestBackend, type TestBackend } from '../test-backend.ts'
import { type AuthSettings, ownerOnly } from './auth-settings.ts'
import type { OidcSettings } from './oidc/oidc-settings.ts'

/** People of a test's issuer. */
export const people = () => ({
  ada: { email: 'Ada@example.com', email_verified: true, name: 'Ada', groups: ['makers', 'system:masters'] },
  bob: { email: 'bob@example.com', email_verified: true, name: 'Bob', groups: [] },
  eve: { email: 'eve@example.com', email_verified: false, name: 'Eve', groups: ['makers'] },
  root: { email: 'system:admin', email_verified: true, name: 'Root', groups: [] },
})

export const oidcOf = (issuer: Issuer, more: Partial<OidcSettings> = {}): OidcSettings => ({
  issuer: issuer.url,
  clientId: issuer.clients.page,
  clientSecret: undefined,
  scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
  claims: { user: 'email', name: 'name', groups: 'groups' },
  audiences: [],
  cliClientId: issuer.clients.cli,
  ...more,
})

export interface SignInWorld {
  issuer: Issuer
  backend: TestBackend
  browser(): TestBrowser
  /** Signs a browser in through the issuer and gives its cookie header. */
  signIn(user: string, browser?: TestBrowser): Promise<string>
  /** What the backend answers a browser about itself. */
  me(cookie: string): Promise<{ status: number; body: Record<string, unknown> }>
  dispose(): Promise<void>
}

/** A backend whose people are known to a real issuer. */
export const signInWorld = async ({
  auth = {},
  parts = {},
}: {
  auth?: Partial<AuthSettings>
  parts?: Partial<BackendParts>
} = {}): Promise<SignInWorld> => {
  const issuer = await startIssuer({ users: people() })
  const settings = { ...ownerOnly, oidc: oidcOf(issuer), ...auth }
  const backend = await createTestBackend({ auth: settings, ...parts })
  issuer.page = backend.url
  const world: SignInWorld = {
    issuer,
    backend,
    browser: createTestBrowser,
    signIn: async (user, browser = createTestBrowser()) => {
      issuer.current = user
      const visit = await browser.open(`${backend.url}/login`)
      if (visit.status !== 200) throw new Error(`${user} was not signed in: ${visit.text}`)
      return browser.cookies(backend.url)
    },
    me: (cookie) => backend.call('/api/me', { token: null, headers: { cookie } }),
    dispose: async () => {
      await backend.dispose()
      await issuer.close()
    },
  }
  return world
}

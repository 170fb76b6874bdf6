import type { JWK } from 'jose'
import Provider, { type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import type { IssuerUser } from './start-issuer.ts'

interface ProviderOptions {
  users: Record<string, IssuerUser>
  keys: JWK[]
  tokenSeconds: number
  /** `sub` of who signs in. */
  current: () => string
  /** Where Berth is, which is told of sessions that end; undefined: nobody is. */
  page: () => string | undefined
}

const device = 'urn:ietf:params:oauth:grant-type:device_code'

/** The issuer's own program, in which whoever comes is signed in, and agrees to everything. */
export const createProvider = (
  url: string,
  { users, keys, tokenSeconds, current, page: berth }: ProviderOptions,
): Provider => {
  const provider = new Provider(url, {
    jwks: { keys: keys as never },
    clients: [
      {
        client_id: 'berth',
        token_endpoint_auth_method: 'none',
        // Of a native client any port of this machine is taken.
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/login/callback'],
        post_logout_redirect_uris: ['http://127.0.0.1/login/signed-out'],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: 'http://127.0.0.1/api/backchannel-logout',
        backchannel_logout_session_required: true,
      },
      {
        client_id: 'berth-cli',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token', device],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
    conformIdTokenClaims: false,
    cookies: { keys: ['a key for tests'] },
    ttl: { AccessToken: tokenSeconds, IdToken: tokenSeconds },
    findAccount: (_, sub) => {
      const claims = users[sub]
      return claims === undefined ? undefined : { accountId: sub, claims: () => ({ sub, ...claims }) }
    },
    // The port is known only once Berth runs, after the issuer. Its own dispatcher would not go to this machine.
    fetch: (address: string, { method, headers, body, signal }: RequestInit) => {
      const at = berth()
      if (at === undefined) return Promise.reject(new Error('Nobody is told of logouts.'))
      return fetch(new URL(new URL(address).pathname, at), { method, headers, body, signal })
    },
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    loadExistingGrant: agreeToEverything,
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: page },
      deviceFlow: { enabled: true, userCodeInputSource: page, userCodeConfirmSource: page },
    },
  } as Configuration)
  provider.use(async (context, next) => {
    if (!context.path.startsWith('/interaction/')) return next()
    await provider.interactionFinished(context.req, context.res, {
      login: { accountId: current() },
      consent: {},
    })
    context.respond = false
  })
  return provider
}

/** A page with nothing but its form. */
const page = (context: KoaContextWithOIDC, form: string): void => {
  context.body = `<!doctype html>${form}`
}

const agreeToEverything: NonNullable<Configuration['loadExistingGrant']> = async ({ oidc }) => {
  const { client, session, provider, params } = oidc
  const known = session?.grantIdFor(client?.clientId ?? '')
  if (known !== undefined) return provider.Grant.find(known)
  const grant = new provider.Grant({ clientId: client?.clientId, accountId: session?.accountId })
  grant.addOIDCScope(String(params?.scope ?? 'openid'))
  await grant.save()
  return grant
}

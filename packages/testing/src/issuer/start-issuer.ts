import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { createProvider } from './provider.ts'

/** A person that an issuer knows: claims by name; `sub` is the key under which they stand. */
export type IssuerUser = Record<string, unknown>

export interface IssuerOptions {
  /** People by `sub`; may be changed while it runs. One that is taken away is disabled. */
  users: Record<string, IssuerUser>
  /** Seconds that access and ID tokens are good for. Default: 300. */
  tokenSeconds?: number
}

/** A key that the issuer signs with. */
export interface IssuerKey {
  privateKey: CryptoKey
  jwk: JWK
}

export interface MintOptions {
  /** Default: the key that the issuer has now. */
  key?: IssuerKey
  header?: Record<string, unknown>
}

/** A certified OpenID Connect issuer on this machine, with a public client for pages and one for command lines. */
export interface Issuer {
  url: string
  clients: { page: 'berth'; cli: 'berth-cli' }
  users: Record<string, IssuerUser>
  /** Who signs in next; nobody asks for a password. */
  current: string
  /** Changes the claims of the ID tokens that its token endpoint gives, as a broken or hostile issuer would. */
  forge: ((claims: JWTPayload) => JWTPayload) | undefined
  /** Signs claims; `iss`, `iat` and `exp` are given where they are left out. */
  mint(claims: JWTPayload, options?: MintOptions): Promise<string>
  key: IssuerKey
  /** Makes another key, which takes the place of the one before. */
  rotate(): Promise<IssuerKey>
  /** Where Berth is, which it tells of sessions that end. Default: it tells nobody. */
  page: string | undefined
  /** While true, it answers nothing but 503. */
  away: boolean
  /** Method and path of each request. */
  requests: string[]
  close(): Promise<void>
}

export const newIssuerKey = async (kid: string): Promise<IssuerKey> => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' } }
}

/** Starts one. Its addresses are http, which only a machine may use with itself. */
export const startIssuer = async ({ users, tokenSeconds = 300 }: IssuerOptions): Promise<Issuer> => {
  const first = await newIssuerKey('key-1')
  let served = [first.jwk]
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer: Issuer = {
    url,
    clients: { page: 'berth', cli: 'berth-cli' },
    users,
    current: Object.keys(users)[0] ?? '',
    forge: undefined,
    key: first,
    page: undefined,
    away: false,
    requests: [],
    mint: (claims, { key = issuer.key, header = {} } = {}) => {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({ iss: url, iat: now, exp: now + 300, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: String(key.jwk.kid), ...header })
        .sign(key.privateKey)
    },
    rotate: async () => {
      issuer.key = await newIssuerKey(`key-${served.length + 1}-new`)
      served = [issuer.key.jwk]
      return issuer.key
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const provider = createProvider(url, {
    users,
    keys: [first.jwk],
    tokenSeconds,
    current: () => issuer.current,
    page: () => issuer.page,
  })
  const serve = provider.callback()

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?')[0] ?? ''
    issuer.requests.push(`${request.method} ${path}`)
    if (issuer.away) return void response.writeHead(503).end('away')
    if (path === '/jwks') {
      response.setHeader('content-type', 'application/json')
      return void response.end(JSON.stringify({ keys: served.map(publicPart) }))
    }
    if (path === '/token' && issuer.forge !== undefined) forgeIdToken(response, issuer, issuer.forge)
    await serve(request, response)
  }
  return issuer
}

const publicPart = ({ kty, n, e, kid, alg, use }: JWK): JWK => ({ kty, n, e, kid, alg, use })

/** Replaces the ID token in an answer of the token endpoint. */
const forgeIdToken = (
  response: ServerResponse,
  issuer: Issuer,
  forge: (claims: JWTPayload) => JWTPayload,
): void => {
  const end = response.end.bind(response) as (body: string) => ServerResponse
  response.end = ((body: string | Buffer) => {
    const answer = JSON.parse(body.toString('utf8')) as { id_token?: string }
    const payload = answer.id_token?.split('.')[1]
    if (payload === undefined) return end(JSON.stringify(answer))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JWTPayload
    void issuer.mint(forge(claims)).then((token) => {
      const forged = JSON.stringify({ ...answer, id_token: token })
      response.setHeader('content-length', Buffer.byteLength(forged))
      end(forged)
    })
    return response
  }) as typeof response.end
}

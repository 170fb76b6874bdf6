import { createHash, createSign } from 'node:crypto'
import { z } from 'zod'
import type { Outbound } from '../../outbound/outbound.ts'
import { parseJson } from '../../parse-json.ts'
import { ModelProblem } from './provider.ts'

const scope = 'https://www.googleapis.com/auth/cloud-platform'
const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** Milliseconds before its end from which a token isn't used any more. */
const marginMs = 300_000
/** Service accounts whose tokens are kept. */
const maxKept = 200

const accountForm = z.object({
  client_email: z.string().min(3).max(320),
  private_key: z.string().min(100).max(20_000),
  private_key_id: z.string().max(200).optional(),
  token_uri: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .default('https://oauth2.googleapis.com/token'),
})

const granted = z.object({ access_token: z.string().min(1).max(10_000), expires_in: z.number().positive() })
const refused = z.object({ error: z.string().max(200), error_description: z.string().max(2000).optional() })

interface Kept {
  token: Promise<string>
  /** Milliseconds since 1970. */
  until: number
}

/**
 * Access tokens of Google service accounts, by the JWT grant (RFC 7523): an assertion signed with the account's key is exchanged
 * at its token endpoint. A token is kept until shortly before its end, and asked for once, however many requests want it.
 */
export class GoogleTokens {
  readonly #options: { outbound: Pick<Outbound, 'ask'>; now: () => number }
  readonly #kept = new Map<string, Kept>()

  constructor(options: { outbound: Pick<Outbound, 'ask'>; now: () => number }) {
    this.#options = options
  }

  /** Rejects with ModelProblem when the credentials can't be used or are refused; `secret` names them for people. */
  async token(credentials: string, secret: string): Promise<string> {
    const key = createHash('sha256').update(credentials).digest('hex')
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > this.#options.now()) return kept.token
    const entry: Kept = { token: Promise.resolve(''), until: this.#options.now() + 30_000 }
    entry.token = this.#ask(credentials, secret).then(({ token, until }) => {
      entry.until = until
      return token
    })
    this.#kept.delete(key)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= maxKept && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, entry)
    // One that failed is asked for anew by whoever comes next.
    entry.token.catch(() => {
      if (this.#kept.get(key) === entry) this.#kept.delete(key)
    })
    return entry.token
  }

  /** A token was refused: it is asked for anew. */
  forget(credentials: string): void {
    this.#kept.delete(createHash('sha256').update(credentials).digest('hex'))
  }

  async #ask(credentials: string, secret: string): Promise<{ token: string; until: number }> {
    const { outbound, now } = this.#options
    const account = accountOf(credentials, secret)
    const answer = await outbound.ask(new URL(account.token_uri), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: grant,
        assertion: assertionOf(account, now(), secret),
      }).toString(),
      maxBytes: 64 * 1024,
    })
    const data = parseJson(answer.body.toString('utf8'))
    const found = granted.safeParse(data).data
    if (answer.status === 200 && found !== undefined)
      return { token: found.access_token, until: now() + Math.max(0, found.expires_in * 1000 - marginMs) }
    const { error, error_description: why } = refused.safeParse(data).data ?? {
      error: `status ${answer.status}`,
    }
    throw problem(
      `Google refused the service account in the secret ${secret}: ${error}${why === undefined ? '' : ` (${why})`}. Check that the key is not deleted and the account not disabled.`,
    )
  }
}

type Account = z.infer<typeof accountForm>

const accountOf = (credentials: string, secret: string): Account => {
  const found = accountForm.safeParse(parseJson(credentials)).data
  if (found !== undefined) return found
  throw problem(
    `The secret ${secret} holds no key of a service account: expected the JSON file that Google gives, with client_email and private_key.`,
  )
}

const assertionOf = (account: Account, now: number, secret: string): string => {
  const seconds = Math.floor(now / 1000)
  const header = { alg: 'RS256', typ: 'JWT', kid: account.private_key_id }
  const claims = {
    iss: account.client_email,
    scope,
    aud: account.token_uri,
    iat: seconds,
    exp: seconds + 3600,
  }
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(account.private_key, 'base64url')}`
  } catch {
    // What OpenSSL says of a key may repeat parts of it.
    throw problem(`The private key in the secret ${secret} can’t be used to sign.`)
  }
}

const problem = (message: string): ModelProblem =>
  new ModelProblem({ status: 401, type: 'authentication_error' }, message)

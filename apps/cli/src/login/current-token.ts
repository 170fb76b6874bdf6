import { ExitError } from '../exit-code.ts'
import { discover, loginOf, oidc, reason } from './issuer-client.ts'
import { changeLogin, type Login, readLogin } from './stored-logins.ts'

/** A token that ends within this time is renewed before it is used. */
const marginMs = 60_000

/** The token of the user's login at a Berth, renewed when it is about to end. Undefined: there is no login. */
export const loginToken = async (
  env: NodeJS.ProcessEnv,
  url: string,
  now: () => number = Date.now,
): Promise<string | undefined> => {
  const login = await readLogin(env, url)
  if (login === undefined || isFresh(login, now())) return login?.token
  const renewed = await changeLogin(env, url, async (current) =>
    // Another command may have renewed it while this one waited.
    current === undefined || isFresh(current, now()) ? current : renew(current, { url, now: now() }),
  )
  return renewed?.token
}

const isFresh = (login: Login, now: number): boolean =>
  login.kind === 'token' || login.expiresAt - now > marginMs

const renew = async (login: Login, { url, now }: { url: string; now: number }): Promise<Login> => {
  if (login.kind === 'token') return login
  if (login.refresh === undefined) return stillGood(login, { url, now })
  const client = await oidc()
  try {
    const config = await discover(login.issuer, login.clientId)
    const tokens = await client.refreshTokenGrant(config, login.refresh)
    return loginOf(login, tokens, login)
  } catch (error) {
    if (error instanceof client.ResponseBodyError) throw over(url, error)
    if (login.expiresAt > now) return login
    throw error instanceof ExitError
      ? error
      : new ExitError('unreachable', `Your sign-in at ${url} can't be renewed: ${reason(error)}`)
  }
}

const stillGood = (
  login: Extract<Login, { kind: 'oidc' }>,
  { url, now }: { url: string; now: number },
): Login => {
  if (login.expiresAt > now) return login
  throw over(url)
}

const over = (url: string, error?: unknown): ExitError => {
  const why = error === undefined ? '' : ` (${reason(error)})`
  return new ExitError('refused', `Your sign-in at ${url} has ended${why}. Sign in again: berth login ${url}`)
}

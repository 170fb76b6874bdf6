import { type GitCredential, isBerthError, preview, type TriedGitCredential } from '@berth/contract'
import { z } from 'zod'
import { type Outbound, privateAddressOf, type SmallAnswer } from '../outbound/outbound.ts'
import { parseJson } from '../parse-json.ts'
import { apiOf, appJwt, type GitHubApp } from './github-app.ts'

export interface InspectOptions {
  outbound: Pick<Outbound, 'ask'>
  /** Milliseconds since 1970. */
  now: () => number
}

type Known = Partial<Omit<TriedGitCredential, 'host' | 'path' | 'kind' | 'secret'>>
type Reading = (answer: SmallAnswer, now: number) => Known

/** How a host is asked what a credential is. */
interface Question {
  url: string
  headers: Record<string, string>
  read: Reading
}

const patienceMs = 15_000
const dayMs = 86_400_000
/** An end that is nearer is worth a warning. */
const nearDays = 14

/**
 * What the host of a credential says of it. Never rejects: what can't be asked is unknown. Nothing of the value, and of the
 * answer only names and dates, gets into the result.
 */
export const inspectCredential = async (
  { outbound, now }: InspectOptions,
  credential: GitCredential,
  readValue: () => Promise<string>,
): Promise<TriedGitCredential> => {
  const { host, path, kind, secret } = credential
  const about = (known: Known): TriedGitCredential => ({
    ...{ host, path, kind, secret, state: 'ok' as const, warnings: [] },
    ...known,
  })
  try {
    const asked = questionOf(credential, (await readValue()).trim(), now())
    if (asked === undefined) return about(unknown(`${host} can’t be asked what it is: test a repository`))
    const { url, headers, read } = asked
    const answer = await outbound
      .ask(new URL(url), { headers: { 'user-agent': 'berth', ...headers }, totalMs: patienceMs })
      .catch((error: unknown) => ({ error }))
    return about('error' in answer ? unanswered(new URL(url).host, answer.error) : read(answer, now()))
  } catch (error) {
    if (!isBerthError(error) || error.code === 'unavailable') throw error
    return about({ state: 'refused', message: error.message })
  }
}

const unknown = (message: string): Known => ({ state: 'unknown', message })
const refused = (message: string): Known => ({ state: 'refused', message })

const unanswered = (host: string, error: unknown): Known =>
  unknown(
    privateAddressOf(error) === undefined
      ? `${host} did not answer`
      : `${host} has no public address: the operator can add it to BERTH_PRIVATE_HOSTS`,
  )

const questionOf = (credential: GitCredential, value: string, now: number): Question | undefined => {
  if (!/^[\x20-\x7e\r\n]+$/.test(value)) return undefined
  const accept = { accept: 'application/vnd.github+json' }
  if (credential.kind === 'github-app')
    return {
      url: `${apiOf(credential)}/app/installations/${credential.installationId}`,
      headers: { ...accept, authorization: `Bearer ${appJwt(credential, value, now)}` },
      read: installationIn(credential),
    }
  // The value becomes a header.
  if (/[\r\n]/.test(value)) return undefined
  if (credential.kind === 'gitlab')
    return {
      url: `https://${credential.host}/api/v4/personal_access_tokens/self`,
      headers: { 'private-token': value },
      read: gitlabTokenIn,
    }
  if (credential.kind !== 'token' || credential.host !== 'github.com') return undefined
  return {
    url: 'https://api.github.com/user',
    headers: { ...accept, authorization: `Bearer ${value}` },
    read: githubTokenIn,
  }
}

const name = z.string().transform((text) => preview(text, 200))

/** An answer that says nothing else is no reason to call a credential good or bad. */
const otherwise = (who: string, { status }: SmallAnswer): Known =>
  unknown(`${who} answered with status ${status}`)

const githubTokenIn: Reading = (answer, now) => {
  if (answer.status === 401)
    return refused('GitHub takes no such token: it is wrong, revoked, or has expired')
  const said = z.object({ login: name }).safeParse(bodyOf(answer))
  if (answer.status !== 200 || !said.success) return otherwise('GitHub', answer)
  const listed = headerOf(answer, 'x-oauth-scopes')
  const scopes = listed === undefined ? undefined : listOf(listed.split(','))
  const expiresAt = timeOf(headerOf(answer, 'github-authentication-token-expiration'))
  const isClassic = scopes !== undefined && scopes.length > 0
  return {
    ...{ account: said.data.login, scopes, expiresAt },
    warnings: [
      ...(isClassic
        ? ['A classic token opens every repository that its owner sees: use a fine-grained one.']
        : []),
      ...tooMuch(scopes, ['repo', 'public_repo']),
      ...ending(expiresAt, now),
    ],
  }
}

const gitlabToken = z.object({
  name,
  scopes: z.array(z.string()),
  active: z.boolean(),
  expires_at: z.string().nullish(),
})

const gitlabTokenIn: Reading = (answer, now) => {
  if (answer.status === 401)
    return refused('GitLab takes no such token: it is wrong, revoked, or has expired')
  const said = gitlabToken.safeParse(bodyOf(answer))
  if (answer.status !== 200 || !said.success) return otherwise('GitLab', answer)
  if (!said.data.active) return refused('GitLab says that the token is revoked or has expired')
  const scopes = listOf(said.data.scopes)
  const expiresAt = timeOf(said.data.expires_at ?? undefined)
  return {
    ...{ account: said.data.name, scopes, expiresAt },
    warnings: [...tooMuch(scopes, ['read_repository', 'write_repository']), ...ending(expiresAt, now)],
  }
}

const installation = z.object({
  account: z.object({ login: name }),
  permissions: z.record(z.string(), z.string()),
  repository_selection: z.string(),
  suspended_at: z.string().nullish(),
})

const installationIn =
  ({ appId, installationId }: GitHubApp): Reading =>
  (answer) => {
    if (answer.status === 401)
      return refused(`GitHub takes no token of App ${appId} that is signed with this key`)
    if (answer.status === 404) return refused(`App ${appId} has no installation ${installationId}`)
    const said = installation.safeParse(bodyOf(answer))
    if (answer.status !== 200 || !said.success) return otherwise('GitHub', answer)
    const { account, permissions, repository_selection: selection, suspended_at: suspended } = said.data
    if (suspended) return refused(`the installation of App ${appId} for ${account.login} is suspended`)
    if (permissions.contents === undefined) return refused('the App has no permission “Contents”')
    const all = 'It is installed on all repositories of its account: choose those that the project needs.'
    return {
      account: account.login,
      scopes: listOf(Object.entries(permissions).map(([what, access]) => `${what}:${access}`)),
      warnings: [
        ...tooMuch(listOf(Object.keys(permissions)), ['contents', 'metadata']),
        ...(selection === 'all' ? [all] : []),
      ],
    }
  }

const tooMuch = (scopes: readonly string[] = [], needed: readonly string[]): string[] => {
  const more = scopes.filter((scope) => !needed.includes(scope))
  if (more.length === 0) return []
  return [preview(`It also allows ${more.join(', ')}, which Berth never needs: take that away.`, 1000)]
}

const ending = (expiresAt: string | undefined, now: number): string[] => {
  if (expiresAt === undefined) return ['It never expires: one that does is lost for less long.']
  const days = Math.floor((Date.parse(expiresAt) - now) / dayMs)
  return days < nearDays
    ? [`It expires in ${Math.max(0, days)} days: make another, and set the secret anew.`]
    : []
}

const bodyOf = ({ body }: SmallAnswer): unknown => parseJson(body.toString('utf8'))

const headerOf = ({ headers }: SmallAnswer, wanted: string): string | undefined => {
  const value = headers[wanted]
  return Array.isArray(value) ? value[0] : value
}

const listOf = (texts: readonly string[]): string[] =>
  texts
    .map((text) => preview(text.trim(), 200))
    .filter((text) => text !== '')
    .slice(0, 100)

/** Undefined for what is no time. */
const timeOf = (text: string | undefined): string | undefined => {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

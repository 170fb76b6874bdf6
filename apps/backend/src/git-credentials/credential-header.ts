import { BerthError, type GitCredential } from '@berth/contract'

type Stored = Exclude<GitCredential, { kind: 'github-app' }>

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`

/** The `Authorization` that a git server is sent. Throws `git_refused` for a value that can't be one; never tells it. Pure. */
export const credentialHeader = (credential: Stored, value: string): string => {
  const secret = value.trim()
  const wrong = (what: string) =>
    new BerthError('git_refused', `The secret ${credential.secret} for ${credential.host} is ${what}.`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (secret === '' || /[\x00-\x1f\x7f]/.test(secret)) throw wrong('empty, or has more than one line')
  if (credential.kind === 'gitlab') return basic('oauth2', secret)
  if (credential.kind === 'basic') {
    const colon = secret.indexOf(':')
    if (colon < 1) throw wrong('not of the form user:password')
    return basic(secret.slice(0, colon), secret.slice(colon + 1))
  }
  if (credential.as === 'basic') return basic('x-access-token', secret)
  if (!/^[\x21-\x7e]+$/.test(secret)) throw wrong('no token that can be sent as a bearer')
  return `Bearer ${secret}`
}

import type { GitCredentialsTest, TriedGitCredential } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'

const marks = { ok: '✓', refused: '✗', unknown: '?' } as const

/** What git hosts say of a project's credentials, with what should be better. */
export const renderGitCredentials = ({ items }: GitCredentialsTest, { style }: { style: Style }): string =>
  items.length === 0
    ? 'The project has no git credentials.'
    : items.flatMap((item) => linesOf(item, style)).join('\n')

const linesOf = (item: TriedGitCredential, style: Style): string[] => {
  const { host, path = '', kind, secret, state, account, scopes, expiresAt, warnings, message } = item
  const paint = { ok: style.green, refused: style.red, unknown: style.yellow }[state]
  const facts = [
    ...(account === undefined ? [] : [`of ${account}`]),
    ...(scopes === undefined || scopes.length === 0 ? [] : [`allows ${scopes.join(', ')}`]),
    ...(expiresAt === undefined ? [] : [`until ${expiresAt.slice(0, 10)}`]),
    ...(message === undefined ? [] : [message]),
  ]
  return [
    `${paint(marks[state])} ${safeLine(`${host}${path && `/${path}`} (${kind}, secret ${secret})`)}`,
    ...facts.map((fact) => `  ${safeLine(fact)}`),
    ...warnings.map((warning) => `  ${style.yellow('!')} ${safeLine(warning)}`),
  ]
}

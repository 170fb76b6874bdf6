import { type MemberKind, memberKinds } from '@berth/contract'
import { ExitError } from './exit-code.ts'
import { safeLine } from './terminal/safe-text.ts'

export const subjectHelp =
  'user:<id>, group:<name>, key:<id>, or service:kubernetes:<namespace>:<service account>'

/** A member as people write it: `user:ada@example.com`. An id of an API key stands for itself. */
export const subjectIn = (text: string): { kind: MemberKind; id: string } => {
  if (/^key_[0-9a-z]+$/.test(text)) return { kind: 'key', id: text }
  const at = text.indexOf(':')
  const kind = memberKinds.find((known) => known === text.slice(0, Math.max(at, 0)))
  const id = text.slice(at + 1)
  if (kind === undefined || id === '')
    throw new ExitError('usage', `${safeLine(text)} does not say who. Write ${subjectHelp}.`)
  return { kind, id }
}

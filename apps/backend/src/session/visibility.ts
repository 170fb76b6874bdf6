import { BerthError, type EffectiveSettings, type Visibility } from '@berth/contract'

type Policy = Pick<EffectiveSettings, 'sessionVisibility' | 'privateSessions'>

/** Rejects with `private_not_allowed` when the project has no private sessions and this one would become one. */
export const checkVisibility = (visibility: Visibility | undefined, { privateSessions }: Policy): void => {
  if (visibility === 'private' && !privateSessions)
    throw new BerthError(
      'private_not_allowed',
      'Every session of this project is seen by the whole project, because its setting privateSessions is off.',
    )
}

/** The visibility of a new session: what was asked for, or what the project says. */
export const visibilityFor = (asked: Visibility | undefined, policy: Policy): Visibility => {
  checkVisibility(asked, policy)
  return asked ?? (policy.privateSessions ? policy.sessionVisibility : 'project')
}

import { BerthError, userIdOf } from '@berth/contract'
import type { Identity } from '../identity.ts'
import type { ClaimNames } from './oidc-settings.ts'

const identityLimits = { id: 200, groups: 250 } as const

/** Ids that mean something to Berth or to Kubernetes: nobody may come by them through a claim (S6). */
const reserved = /^(system:|kubernetes:|key_|role:)/i

export interface ClaimRules {
  names: ClaimNames
  /** The local owner's id, which no claim may give. */
  owner: string
}

/**
 * Who the claims of a verified token name. Rejects a user whose id is missing, not verified or reserved; a group that may not
 * be is left out.
 */
export const identityOf = (claims: Readonly<Record<string, unknown>>, rules: ClaimRules): Identity => {
  const { names, owner } = rules
  const name = text(claims[names.name], identityLimits.id)
  return {
    user: userOf(claims, rules),
    ...(name !== undefined && { name }),
    groups: groupsOf(claims[names.groups], owner),
  }
}

const userOf = (claims: Readonly<Record<string, unknown>>, { names, owner }: ClaimRules): string => {
  const value = text(own(claims, names.user), identityLimits.id)
  if (value === undefined)
    throw refusal(
      `Your sign-in has no usable claim "${names.user}", which names users here. An operator can have the issuer send it, or choose another one with BERTH_OIDC_USER_CLAIM.`,
    )
  if (names.user === 'email' && claims.email_verified !== true)
    throw refusal(
      'The issuer does not say that your email address is verified, so it can’t name you here. Verify it, or ask an operator to choose another claim with BERTH_OIDC_USER_CLAIM.',
    )
  const user = userIdOf(value)
  if (isReserved(user, owner))
    throw refusal(`The claim "${names.user}" gives you a name that is reserved: ${JSON.stringify(user)}.`)
  return user
}

/** Groups as an issuer sends them: a list, or one name. */
const groupsOf = (value: unknown, owner: string): string[] => {
  const given: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value]
  const groups = given.flatMap((item) => text(item, identityLimits.id) ?? [])
  const usable = groups.filter((group) => !isReserved(group, owner))
  return [...new Set(usable)].slice(0, identityLimits.groups)
}

/** The issuer's own id of a session there; what is too long to be kept is none. */
export const sessionIdOf = (sid: unknown): string | undefined =>
  typeof sid === 'string' && sid !== '' && sid.length <= 255 ? sid : undefined

const isReserved = (id: string, owner: string): boolean => reserved.test(id) || id === owner

const own = (claims: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined

/** Text that is neither empty nor too long, and shows as what it is. */
const text = (value: unknown, max: number): string | undefined => {
  if (typeof value !== 'string') return undefined
  const trimmed = value.trim()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const isOdd = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(trimmed)
  return trimmed === '' || trimmed.length > max || isOdd ? undefined : trimmed
}

const refusal = (detail: string) => new BerthError('unauthenticated', detail)

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { knownSubject, type Subject } from '@berth/contract'
import { z } from 'zod'
import { listed } from '../listed.ts'
import type { OidcSettings } from './oidc/oidc-settings.ts'
import { noRights, type RightsSettings } from './rights.ts'

/** Who may ask, as the environment says. */
export interface AuthSettings {
  /** Where people reach the API and the page; undefined: its own address, on this machine. */
  publicUrl: string | undefined
  /** Proxies whose word about a client's address counts: addresses and ranges. */
  trustedProxies: readonly string[]
  oidc: OidcSettings | undefined
  rights: RightsSettings
  /** What tokens of Kubernetes must have been made for; undefined: none is taken. */
  tokenReview: { audience: string } | undefined
}

/** Nobody but the owner. */
export const ownerOnly: AuthSettings = {
  publicUrl: undefined,
  trustedProxies: [],
  oidc: undefined,
  rights: noRights,
  tokenReview: undefined,
}

const isLoopback = (url: string) => ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname)

const safeUrl = z
  .url({ protocol: /^https?$/, error: 'expected an https URL' })
  .refine(
    (url) => new URL(url).protocol === 'https:' || isLoopback(url),
    'must be https, but on this machine',
  )
  .refine((url) => {
    const { username, password, search, hash } = new URL(url)
    return username + password + search + hash === ''
  }, 'must be a plain URL')

const claim = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be the name of a claim')
const client = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be the id of a client')

const subjects = listed(',').pipe(
  z.array(
    z.string().transform((text, context): Subject => {
      const [, kind, id] = /^(user|group|service):(.{1,200})$/.exec(text) ?? []
      if (kind === undefined || id === undefined) {
        context.addIssue(`${JSON.stringify(text)} is not user:…, group:… or service:…`)
        return z.NEVER
      }
      return knownSubject({ kind: kind as Subject['kind'], id })
    }),
  ),
)

const isRange = (text: string): boolean => {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  const isBits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  return family !== 0 && isBits && more.length === 0
}

/** The variables that make them. */
export const authVariables = {
  /** Where people reach Berth, such as https://berth.example.com. Needed to sign in through an issuer beyond this machine. */
  BERTH_PUBLIC_URL: safeUrl.optional(),
  /** Addresses and ranges of proxies that say whom they pass on (`X-Forwarded-For`, `-Proto`, `-Host`). Default: none. */
  BERTH_TRUSTED_PROXIES: listed(',')
    .pipe(z.array(z.string().refine(isRange, 'must be addresses or ranges, such as 10.0.0.0/8')))
    .optional(),
  /** The OpenID Connect issuer that knows who people are. */
  BERTH_OIDC_ISSUER: safeUrl.optional(),
  BERTH_OIDC_CLIENT_ID: client.optional(),
  /** A file with the client's secret. Default: it is a public client. */
  BERTH_OIDC_CLIENT_SECRET_FILE: z.string().min(1).optional(),
  BERTH_OIDC_SCOPES: listed(/[\s,]+/).optional(),
  /** The claim that names users; `email` must be verified. */
  BERTH_OIDC_USER_CLAIM: claim.default('email'),
  BERTH_OIDC_NAME_CLAIM: claim.default('name'),
  BERTH_OIDC_GROUPS_CLAIM: claim.default('groups'),
  /** Audiences of access tokens that the API takes, separated by commas. Default: tokens for Berth's own clients only. */
  BERTH_OIDC_AUDIENCES: listed(',').optional(),
  /** A public client for `berth login`, which redirects to 127.0.0.1. */
  BERTH_OIDC_CLI_CLIENT_ID: client.optional(),
  /** Platform admins: `user:ada@example.com,group:platform`. */
  BERTH_ADMINS: subjects.optional(),
  /** Who may create projects: `admins`, `everyone`, or a list like that of the admins. */
  BERTH_PROJECT_CREATORS: z.union([z.enum(['admins', 'everyone']), subjects]).default('admins'),
  /** The audience of Kubernetes tokens that the API takes. */
  BERTH_TOKEN_REVIEW: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be an audience')
    .optional(),
}

type Values = z.infer<z.ZodObject<typeof authVariables>>

interface Issue {
  variable: string
  message: string
}

/** What is wrong with the variables together. */
export const authIssues = (given: Readonly<Record<string, unknown>>): Issue[] => {
  const issues: Issue[] = []
  const needs = (variable: string, needed: string) => {
    if (given[variable] !== undefined && given[needed] === undefined)
      issues.push({ variable: needed, message: `needed with ${variable}` })
  }
  needs('BERTH_OIDC_ISSUER', 'BERTH_OIDC_CLIENT_ID')
  const rest = Object.keys(authVariables).filter((name) => /^BERTH_OIDC_(?!ISSUER)/.test(name))
  const first = rest.find((name) => given[name] !== undefined)
  if (first !== undefined) needs(first, 'BERTH_OIDC_ISSUER')
  const file = given.BERTH_OIDC_CLIENT_SECRET_FILE
  const secret = typeof file === 'string' ? secretIn(file) : 'none'
  if (secret instanceof Error)
    issues.push({ variable: 'BERTH_OIDC_CLIENT_SECRET_FILE', message: secret.message })
  return issues
}

export const authSettingsOf = (values: Values): AuthSettings => ({
  publicUrl: values.BERTH_PUBLIC_URL?.replace(/\/+$/, ''),
  trustedProxies: values.BERTH_TRUSTED_PROXIES ?? [],
  oidc: oidcOf(values),
  rights: { admins: values.BERTH_ADMINS ?? [], projectCreators: values.BERTH_PROJECT_CREATORS },
  tokenReview: values.BERTH_TOKEN_REVIEW === undefined ? undefined : { audience: values.BERTH_TOKEN_REVIEW },
})

/** `offline_access` brings the refresh token by which a group that was taken away is noticed. */
const defaultScopes = ['openid', 'profile', 'email', 'offline_access']

const oidcOf = (values: Values): OidcSettings | undefined => {
  const { BERTH_OIDC_ISSUER: issuer, BERTH_OIDC_CLIENT_ID: clientId } = values
  if (issuer === undefined || clientId === undefined) return undefined
  const file = values.BERTH_OIDC_CLIENT_SECRET_FILE
  const secret = file === undefined ? undefined : secretIn(file)
  return {
    issuer,
    clientId,
    clientSecret: typeof secret === 'string' ? secret : undefined,
    scopes: [...new Set(['openid', ...(values.BERTH_OIDC_SCOPES ?? defaultScopes)])],
    claims: {
      user: values.BERTH_OIDC_USER_CLAIM,
      name: values.BERTH_OIDC_NAME_CLAIM,
      groups: values.BERTH_OIDC_GROUPS_CLAIM,
    },
    audiences: values.BERTH_OIDC_AUDIENCES ?? [],
    cliClientId: values.BERTH_OIDC_CLI_CLIENT_ID,
  }
}

const secretIn = (file: string): string | Error => {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return text === '' || /\s/.test(text) ? new Error(`${file} does not hold a secret in one line`) : text
  } catch (error) {
    return new Error(`${file} can't be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

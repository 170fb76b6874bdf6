import { z } from 'zod'

/** A secret of the project, by its name; never a value. */
const secret = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected the name of a secret of this project')

/** A git server as it stands in addresses. */
const gitHost = z
  .string()
  .max(260)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[1-9]\d{0,4})?$/,
    'expected a host in lower case such as github.com, or git.example.com:8443',
  )

/** What repositories have in front of their path. */
const pathPrefix = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^/\s?#\\%][^\s?#\\%]*$/, 'expected the beginning of a path such as team/ or team/app')
  .refine((path) => !/(^|\/)\.{1,2}(\/|$)/.test(path), 'must not contain . or .. as a part')

const place = { host: gitHost, path: pathPrefix.optional() }
const number = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)

/** How git of this project signs in at a host. The longest `path` that fits counts. The values are secrets. */
export const gitCredential = z.discriminatedUnion('kind', [
  /** A token, such as a fine-grained one of GitHub. */
  z.strictObject({
    ...place,
    kind: z.literal('token'),
    secret,
    /** How it is sent: as the password of `x-access-token`, or as a bearer token. */
    as: z.enum(['basic', 'bearer']).default('basic'),
  }),
  /** The secret is `user:password`. */
  z.strictObject({ ...place, kind: z.literal('basic'), secret }),
  /** A token of GitLab: personal, of a group, of a project, or for deployment. */
  z.strictObject({ ...place, kind: z.literal('gitlab'), secret }),
  /**
   * An installation of a GitHub App whose private key is the secret. Whoever has the App's key owns the App: an installation
   * of somebody else's App can't be named.
   */
  z.strictObject({
    ...place,
    kind: z.literal('github-app'),
    appId: number,
    installationId: number,
    secret,
    /** Of a GitHub Enterprise Server. Default: the one that belongs to the host. */
    apiUrl: z
      .url({ protocol: /^https$/ })
      .max(500)
      .optional(),
  }),
])

export type GitCredential = z.infer<typeof gitCredential>

const places = (credentials: readonly GitCredential[]) =>
  credentials.map(({ host, path = '' }) => `${host}/${path.replace(/\/$/, '')}`)

export const gitCredentials = z
  .array(gitCredential)
  .max(20)
  .refine(
    (list) => new Set(places(list)).size === list.length,
    'two credentials are for the same host and path',
  )

/** What sessions may push through the git proxy of their own branch; nothing else is ever pushed. */
export const pushPolicy = z.strictObject({
  /** MiB of one push; never more than the platform’s own limit. */
  maxMiB: z.number().int().min(1).max(2048).default(2048),
  /** The role that whoever sent the turn’s prompt needs. Without a turn: the session’s owner. */
  role: z.enum(['editor', 'admin']).default('editor'),
})

export type PushPolicy = z.infer<typeof pushPolicy>

/** Whether the project has a credential for the host of an address, on whatever path: then git takes the git proxy. */
export const hasGitCredential = (
  url: string,
  { gitCredentials: list }: { gitCredentials: readonly GitCredential[] },
): boolean => {
  if (!/^https?:/i.test(url) || !URL.canParse(url)) return false
  const { host } = new URL(url)
  return list.some((credential) => credential.host === host)
}

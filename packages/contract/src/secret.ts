import { z } from 'zod'
import { actor } from './actor.ts'
import { limits } from './limits.ts'
import { variableName } from './settings/agent-setup.ts'

/** How settings name a secret of their project. */
export const secretName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected 1 to 63 lower-case letters, digits and dashes, a letter first')

/** What a secret is for. The value of an `environment` one is visible to the agent; the others never reach a sandbox. */
export const secretKind = z.enum(['model-provider', 'git-host', 'http-header', 'environment'])
export type SecretKind = z.infer<typeof secretKind>

const note = z.string().max(limits.secretNote)

/** A secret as it is set. Its value is never given back. */
export const secretInput = z
  .strictObject({
    kind: secretKind,
    value: z
      .string()
      .refine(
        (value) => value.trim().length >= limits.secretShortest,
        `a shorter value than ${limits.secretShortest} characters could not be hidden`,
      )
      .refine((value) => new TextEncoder().encode(value).length <= limits.secretValue, {
        message: `at most ${limits.secretValue} bytes`,
      })
      .refine((value) => !value.includes('\0'), 'must not contain NUL')
      .refine(
        (value) => !/^[A-Za-z-]{1,15}$/.test(value.trim()),
        'a single word would be hidden wherever somebody says it',
      ),
    note: note.default(''),
    /** The environment variable that holds it in the agent's sandbox; for `environment` only, and needed there. */
    variable: variableName.optional(),
  })
  .refine(({ kind, variable }) => (kind === 'environment') === (variable !== undefined), {
    path: ['variable'],
    message: 'needed for the kind environment, and for no other',
  })

export type SecretInput = z.infer<typeof secretInput>

/** What is told of a secret: everything but its value, or any part of it. */
export const secret = z.object({
  name: secretName,
  kind: secretKind,
  note,
  variable: z.string().optional(),
  /** The agent can read it, and so can whoever may prompt the agent. */
  visibleToAgent: z.boolean(),
  version: z.number().int().positive(),
  /** Tells two values of this secret apart, and nothing else about them. */
  fingerprint: z.string(),
  createdAt: z.iso.datetime(),
  /** When its value was set last, and by whom. */
  setAt: z.iso.datetime(),
  setBy: actor,
  /** When it was used last, and what for; told by the hour. */
  usedAt: z.iso.datetime().optional(),
  usedFor: z.string().max(200).optional(),
  /** False: it was sealed with a key that this installation does not have. Set it anew. */
  usable: z.boolean(),
})

export type Secret = z.infer<typeof secret>

/** A secret that the agent of a session can read, and where it finds it. */
export const agentSecret = z.object({ name: secretName, variable: variableName })

export type AgentSecret = z.infer<typeof agentSecret>

/** A key of the installation: what is still sealed with it. */
export const sealingKey = z.object({
  id: z.string(),
  /** New things are sealed with it. */
  current: z.boolean(),
  /** It is in the key file. */
  present: z.boolean(),
  /** Sealed values that need it: of secrets, and tokens of browsers that are signed in. A key that no value needs may be taken out of the key file. */
  values: z.number().int().nonnegative(),
})

export type SealingKey = z.infer<typeof sealingKey>

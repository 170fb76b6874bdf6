import { z } from 'zod'
import { operationId, uploadId } from './ids.ts'
import { limits } from './limits.ts'

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hex')

/** Whose bytes they are: bytes that travel lie in the blob store under the id of what they travel for. */
export const transferId = z.union([operationId, uploadId])

/** Bytes on their way into or out of a workspace, in parts of `limits.transferPart`; only the last may be shorter. */
export const transfer = z.object({
  of: transferId,
  size: z.number().int().nonnegative().max(limits.upload),
  /** The SHA-256 of each part, in order: the name of its blob. */
  parts: z.array(sha256).max(limits.transferParts),
  /** Of all of it, where it is known. */
  sha256: sha256.optional(),
})

export type Transfer = z.infer<typeof transfer>

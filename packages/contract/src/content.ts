import { z } from 'zod'
import { limits } from './limits.ts'

/** Bytes that are too large for an event: kept in the blob store under the SHA-256 of their content. */
export const blobRef = z.object({
  blob: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.number().int().nonnegative(),
  mediaType: z.string().max(100).default('text/plain; charset=utf-8'),
})

export type BlobRef = z.infer<typeof blobRef>

/**
 * Text of any length. Up to 64 KB it stands in `text`; beyond, `text` is a preview (its first 4 KB) and `full` says
 * where the whole is.
 */
export const longText = z.object({
  text: z.string().max(limits.inlineText),
  full: blobRef.optional(),
})

export type LongText = z.infer<typeof longText>

const base64 = z
  .string()
  .max(limits.promptBody)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'expected base64')

/** One piece of a prompt as it is sent. */
export const promptBlock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string().min(1).max(limits.promptText) }),
  z.object({
    type: z.literal('image'),
    mediaType: z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp']),
    data: base64,
  }),
  z.object({
    type: z.literal('file'),
    name: z
      .string()
      .min(1)
      .max(255)
      .regex(/^[^/\\\0]+$/, 'expected a file name without slashes'),
    mediaType: z.string().max(100).default('application/octet-stream'),
    data: base64,
  }),
])

export type PromptBlock = z.infer<typeof promptBlock>

export const promptContent = z.array(promptBlock).min(1).max(limits.promptBlocks)

/** One piece of a prompt as the log holds it: large text and binary data are in the blob store. */
export const storedBlock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }).extend(longText.shape),
  z.object({ type: z.literal('image'), mediaType: z.string().max(100), content: blobRef }),
  z.object({
    type: z.literal('file'),
    name: z.string().max(255),
    mediaType: z.string().max(100),
    content: blobRef,
  }),
])

export type StoredBlock = z.infer<typeof storedBlock>

/** The beginning of a text, cut at a character, never inside a surrogate pair. */
export const preview = (text: string, length: number): string => {
  if (text.length <= length) return text
  const cut = text.slice(0, length)
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut
}

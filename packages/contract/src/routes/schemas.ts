import { z } from 'zod'
import { limits } from '../limits.ts'
import { settingOrigin } from '../settings/resolve.ts'

/** Names of projects: a DNS label, as namespaces need it. */
export const projectName = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'expected 1 to 40 lower-case letters, digits and dashes, a letter first',
  )

/** An opaque place in a list, as a list gave it. */
const cursor = z.string().max(500)

/** A number in a query string. */
export const numberInQuery = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

export const pageQuery = z.object({
  limit: numberInQuery(1, limits.listPage).default(50),
  cursor: cursor.optional(),
})

/** A page of a list; `next` is missing on the last one. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: cursor.optional() })

/** A value with where it comes from. */
export const originMap = z.record(z.string(), settingOrigin)

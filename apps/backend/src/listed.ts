import { z } from 'zod'

/** A variable that holds a list: its items without the space around them, and no empty ones. */
export const listed = (separator: string | RegExp) =>
  z.string().transform((text) =>
    text
      .split(separator)
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )

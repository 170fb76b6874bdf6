import { createHash } from 'node:crypto'
import type { Layout } from '../layout.ts'

/** One tree of files that is saved by itself. */
export interface TreePlace {
  /** Below the workspace; empty: the workspace itself. */
  path: string
  /** Names in it that are saved as trees of their own. */
  without: readonly string[]
}

/** Where a tree and its shadow lie inside; the same name for the same path, so that the shadow is found again. */
export const placesOf = ({ inside }: Layout, path: string) => {
  const work = path === '' ? inside.workspace : `${inside.workspace}/${path}`
  return { work, shadow: `${inside.shadow}/${shadowName(path)}` }
}

const shadowName = (path: string): string =>
  `${createHash('sha256').update(path).digest('hex').slice(0, 24)}.git`

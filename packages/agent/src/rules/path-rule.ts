import { posix } from 'node:path'
import picomatch from 'picomatch'

/** The directories that path rules refer to, as the agent sees them. */
export interface Places {
  /** Where the agent works; absolute. */
  cwd: string
  /** The agent's home; without it, `~/` rules fit nothing. */
  home?: string
}

const anchored = (spec: string, { cwd, home }: Places): { base: string; pattern: string } | undefined => {
  if (spec.startsWith('//')) return { base: '/', pattern: spec.slice(2) }
  if (spec.startsWith('~/')) return home === undefined ? undefined : { base: home, pattern: spec.slice(2) }
  if (spec.startsWith('/')) return { base: cwd, pattern: spec.slice(1) }
  if (spec.startsWith('./')) return { base: cwd, pattern: spec.slice(2) }
  // As in .gitignore: a pattern without a slash (but at its end) fits at any depth.
  const inner = spec.replace(/\/$/, '')
  return { base: cwd, pattern: inner.includes('/') ? spec : `**/${spec}` }
}

/** Whether a path fits a rule's spec. A pattern that fits a directory fits everything below it. Links aren't followed. */
export const fitsPath = (spec: string, path: string, places: Places): boolean => {
  const anchor = anchored(spec, places)
  if (anchor === undefined) return false
  const relative = posix.relative(anchor.base, posix.resolve(places.cwd, path))
  if (relative === '..' || relative.startsWith('../')) return false
  const pattern = anchor.pattern.replace(/\/$/, '')
  return (
    pattern === '' || picomatch.isMatch(relative, [pattern, `${pattern}/**`], { dot: true, nonegate: true })
  )
}

/** Whether a path lies in the directory where the agent works. */
export const isInside = (path: string, { cwd }: Places): boolean => {
  const relative = posix.relative(cwd, posix.resolve(cwd, path))
  return relative !== '..' && !relative.startsWith('../')
}

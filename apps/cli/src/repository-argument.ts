import { isAbsolute, resolve } from 'node:path'
import type { Command } from 'commander'
import { wholeNumber } from './options.ts'

/**
 * What `--repo` names: a URL, `user@host:path`, or a path (relative to the working directory), with the branch to
 * start from after `#`.
 */
export const parseRepository = (text: string, cwd: string): { url: string; branch?: string } => {
  const at = text.lastIndexOf('#')
  const place = at > 0 ? text.slice(0, at) : text
  const branch = at > 0 ? text.slice(at + 1) : ''
  const isUrl = /^[A-Za-z][A-Za-z0-9+.-]*:/.test(place) || /^[^/\s]+@[^/\s]+:/.test(place)
  const url = isUrl || isAbsolute(place) || place.startsWith('-') ? place : resolve(cwd, place)
  return branch === '' ? { url } : { url, branch }
}

/** How much of a repository is cloned. */
export interface CloneOptions {
  depth?: number
  partial?: boolean
  submodules?: boolean
}

/** The options as the API takes them. */
export const cloneFields = ({ depth, partial, submodules }: CloneOptions): CloneOptions => ({
  ...(depth === undefined ? {} : { depth }),
  ...(partial === true ? { partial } : {}),
  ...(submodules === true ? { submodules } : {}),
})

/** Adds the options to a command. */
export const addCloneOptions = (command: Command): Command =>
  command
    .option('--depth <n>', 'clone only the last n commits', wholeNumber(1, 1_000_000))
    .option('--partial', 'leave the contents of old files at the origin')
    .option('--submodules', 'also clone submodules')

import { isAbsolute, resolve } from 'node:path'

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

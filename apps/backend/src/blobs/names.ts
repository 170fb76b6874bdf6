import { BerthError } from '@berth/contract'

/** Whether a scope can be part of a path or key and stay where it belongs. */
export const isScope = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)

/** Refuses names that could lead elsewhere. */
export const checkScope = (scope: string): string => {
  if (isScope(scope)) return scope
  throw new BerthError('invalid_input', `${scope} can't be a session's id.`)
}

/** Refuses what is not the name of a blob. */
export const checkBlob = (blob: string): string => {
  if (/^[0-9a-f]{64}$/.test(blob)) return blob
  throw new BerthError('invalid_input', `${blob} is not a SHA-256 in hex, the name of a blob.`)
}

import type { OperationError } from '@berth/contract'

/** Nothing is done. The message is for the person who asked. */
export class Refusal extends Error {
  readonly code: OperationError['code']

  constructor(code: OperationError['code'], message: string) {
    super(message)
    this.code = code
  }
}

const byErrno: Record<string, [OperationError['code'], string]> = {
  ENOENT: ['not-found', 'does not exist'],
  ENOTDIR: ['not-found', 'does not exist: a part of the path is no directory'],
  EISDIR: ['not-a-file', 'is a directory'],
  ELOOP: ['refused', 'is a link that leads in a circle'],
  EACCES: ['refused', 'may not be used: its permissions forbid it'],
  EPERM: ['refused', 'may not be used: its permissions forbid it'],
  ENAMETOOLONG: ['refused', 'has a name that is too long'],
  ENOSPC: ['failed', 'could not be written: the disk is full'],
  EDQUOT: ['failed', 'could not be written: the disk is full'],
}

/** An error of the file system in words about a path. */
export const asRefusal = (error: unknown, path: string): unknown => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = byErrno[code]
  if (known === undefined || error instanceof Refusal) return error
  return new Refusal(known[0], `${path === '' ? 'The workspace' : path} ${known[1]}.`)
}

import { statfs } from 'node:fs/promises'
import { isRuntimeError, RuntimeError, type StartFailure } from '@berth/runtime'

/** Turns an error of the file system or of spawn into a RuntimeError that says what to do. `doing`: "start …". */
export const toRuntimeError = (error: unknown, doing: string, directory: string): RuntimeError => {
  if (isRuntimeError(error)) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const detail = error instanceof Error ? error.message : String(error)
  const { reason, retryable, advice } = causes[code] ?? unknownCause
  const message = `Could not ${doing}: ${detail}. ${advice.replace('%s', directory)}`
  return new RuntimeError({ reason, message, retryable, cause: error })
}

/** For a supervisor that could not write: is it the disk? */
export const writeFailure = async (doing: string, directory: string): Promise<RuntimeError> => {
  const space = await statfs(directory).catch(() => undefined)
  const isFull =
    space !== undefined && (space.bavail * space.bsize < 1024 * 1024 || (space.files > 0 && space.ffree < 16))
  const code = isFull ? 'ENOSPC' : 'EIO'
  return toRuntimeError(
    Object.assign(new Error(isFull ? 'no space left' : 'can not write'), { code }),
    doing,
    directory,
  )
}

interface Cause {
  reason: StartFailure
  retryable: boolean
  advice: string
}

const full: Cause = {
  reason: 'unavailable',
  retryable: true,
  advice: 'The disk that holds %s is full. Free some space, e.g. by deleting sessions; it is tried again.',
}
const denied: Cause = {
  reason: 'forbidden',
  retryable: false,
  advice: 'Let the user that runs the backend own %s.',
}
const busy: Cause = {
  reason: 'unavailable',
  retryable: true,
  advice:
    'The machine has no room for another process now (%s). End some, or raise its limits; it is tried again.',
}
const unknownCause: Cause = { reason: 'spawn', retryable: true, advice: 'Look at %s; it is tried again.' }

const causes: Record<string, Cause> = {
  ENOSPC: full,
  EDQUOT: full,
  EACCES: denied,
  EPERM: denied,
  EROFS: denied,
  EAGAIN: busy,
  ENOMEM: busy,
  EMFILE: busy,
  ENFILE: busy,
}

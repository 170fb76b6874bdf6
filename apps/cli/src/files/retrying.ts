import { isApiError, isConnectionError } from '@berth/client'
import { errorCatalogue } from '@berth/contract'

const tries = 6

/** Repeats a step of a transfer that a lost connection broke, a little later each time. */
export const retrying = async (step: () => Promise<boolean>): Promise<void> => {
  for (let failures = 0; ; ) {
    try {
      if (await step()) return
      failures = 0
    } catch (error) {
      failures += 1
      if (failures === tries || !isPassing(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** failures))
    }
  }
}

const isPassing = (error: unknown): boolean => {
  if (isConnectionError(error)) return true
  if (isApiError(error)) return errorCatalogue[error.code].retryable || error.code === 'upload_mismatch'
  // What `fetch` throws when a body breaks off.
  return error instanceof TypeError && /terminated|network|aborted/i.test(error.message)
}

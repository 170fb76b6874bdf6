import { RuntimeError } from './runtime-error.ts'

const pattern = /^ses_[0-9a-z]{26}$/

/** Whether a text has the form of a session id, and so is safe as a file name, a label and a part of a path. */
export const isSessionId = (text: string): boolean => pattern.test(text)

/** Returns the id. Throws RuntimeError (forbidden) when the text isn't one; adapters call it before anything else. */
export const checkSessionId = (text: string): string => {
  if (isSessionId(text)) return text
  const shown = JSON.stringify(String(text).slice(0, 60))
  throw new RuntimeError({
    reason: 'forbidden',
    message: `${shown} is not a session id (expected ses_ and 26 digits or small letters); nothing was done`,
    retryable: false,
  })
}

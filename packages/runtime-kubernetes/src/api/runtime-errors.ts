import { isRuntimeError, RuntimeError, type StartFailure } from '@berth/runtime'
import { type ApiError, isApiError } from './api-error.ts'

/** Says what the API server says, in the words of the port. `doing` completes "could not …". */
export const toRuntimeError = (error: unknown, doing: string): RuntimeError => {
  if (isRuntimeError(error)) return error
  const { reason, retryable, advice } = isApiError(error) ? wordsFor(error) : unknownWords
  const said = error instanceof Error ? error.message : String(error)
  const message = `The cluster could not ${doing}: ${said.slice(0, 1500)}${/[.!?]$/.test(said) ? '' : '.'} ${advice}`
  return new RuntimeError({ reason, retryable, message, cause: error })
}

interface Words {
  reason: StartFailure
  retryable: boolean
  advice: string
}

const unknownWords: Words = {
  reason: 'unavailable',
  retryable: true,
  advice: 'It is tried again.',
}

const wordsFor = ({ status, message, causes }: ApiError): Words => {
  if (causes.includes('NamespaceTerminating') || message.includes('because it is being terminated'))
    return {
      reason: 'unavailable',
      retryable: true,
      advice: 'The namespace is being deleted; it is made again when it is gone.',
    }
  if (status === 403 && message.includes('exceeded quota'))
    return {
      reason: 'quota',
      retryable: true,
      advice: 'Stop other sessions of the project, or ask the operator for a larger quota.',
    }
  if (status === 401)
    return {
      reason: 'forbidden',
      retryable: true,
      advice: "The backend's credentials for the cluster are not accepted; the operator has to renew them.",
    }
  if (status === 403)
    return {
      reason: 'forbidden',
      retryable: false,
      advice:
        'The backend lacks a right, or the cluster has a rule against it; `berth doctor --kubernetes` shows which.',
    }
  if (status === 404)
    return { reason: 'unavailable', retryable: true, advice: 'What it needs is not there; is the namespace?' }
  if (status === 400 || status === 422)
    return {
      reason: 'forbidden',
      retryable: false,
      advice:
        "The cluster refuses the settings of the runner; the operator has to repair the backend's options.",
    }
  return { ...unknownWords, advice: 'The API server is busy or away; it is tried again.' }
}

import { BerthError, isBerthError } from '@berth/contract'

/** What S3-compatible servers call a bucket, tenant or disk without room. */
const full = /QuotaExceeded|StorageFull|InsufficientStorage|TooManyBytes|NoSpace/i

interface Failure {
  code: string
  status: number | undefined
}

const failureOf = (error: unknown): Failure => {
  if (!(error instanceof Error)) return { code: String(error), status: undefined }
  const { name } = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : name
  const metadata = '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }) : undefined
  const status = metadata?.httpStatusCode
  return { code: status === undefined ? code : name, status }
}

/** Whether the store said that there is no such object (or upload). */
export const isMissing = (error: unknown): boolean =>
  ['NoSuchKey', 'NotFound', 'NoSuchUpload'].includes(failureOf(error).code)

/** Whether the store answered, and means it: asking again will not help before someone changes something. */
export const isRefusal = (error: unknown): boolean => {
  const { code, status } = failureOf(error)
  if (code === 'CredentialsProviderError') return true
  return status !== undefined && status >= 300 && status < 500 && ![408, 409, 429].includes(status)
}

/**
 * What the API says about a failed request to the store. Its own message is left out: it may name keys. All of these may
 * be tried again, also a refusal: the operator repairs it without the one who asks.
 */
export const blobFault = (error: unknown): BerthError => {
  if (isBerthError(error)) return error
  const { code, status } = failureOf(error)
  if (status === 507 || full.test(code))
    return new BerthError(
      'storage_full',
      `The blob store is full (${code}), so the blob was not stored. Free some space or raise its quota, then repeat.`,
    )
  if (isRefusal(error))
    return new BerthError(
      'unavailable',
      `The blob store refuses the backend (${code}). Whoever runs Berth has to check BERTH_S3_*, its keys and what they may do; then repeat.`,
    )
  return new BerthError(
    'unavailable',
    `The blob store does not answer as it should (${code}). Nothing was changed; try again in a moment.`,
  )
}

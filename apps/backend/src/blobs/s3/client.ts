import { S3Client } from '@aws-sdk/client-s3'
import type { S3Settings } from './settings.ts'

/** Requests that may be under way at once; one that is read slowly holds its connection. */
const maxSockets = 256

/** For a connection, and for the answer to a request with up to a part of bytes. */
const connectMs = 5000
const answerMs = 60_000

/** A connection on which nothing moves for so long is closed: reads go on with another. */
const silenceMs = 60_000

/**
 * A client of the store. It repeats what fails for a moment, four times in all with growing, random pauses (under two
 * seconds together), and less when much fails: callers repeat too, and later.
 */
export const s3Client = ({ endpoint, region, pathStyle }: S3Settings): S3Client =>
  new S3Client({
    endpoint,
    region,
    forcePathStyle: pathStyle,
    retryMode: 'standard',
    maxAttempts: 4,
    // Each request's bytes are signed with their SHA-256; more checksums would be trailers that older servers refuse.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Parts are small enough to be sent without asking first; some servers and proxies never answer that question.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: silenceMs,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    },
  })

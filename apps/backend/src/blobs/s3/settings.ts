import { z } from 'zod'

/** A bucket of any S3-compatible server. Keys to it come by the AWS SDK's own chain, never by these settings. */
export interface S3Settings {
  bucket: string
  /** What the keys start with, without slashes at its ends; empty: nothing. */
  prefix: string
  /** Unset: AWS. */
  endpoint: string | undefined
  region: string
  /** Whether the bucket is named in the path, as most servers want it, or in the host name, as AWS wants it. */
  pathStyle: boolean
}

/** The variables that make them. */
export const s3Variables = {
  /** Unset: blobs are files in the data directory. */
  BERTH_S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
    .optional(),
  BERTH_S3_PREFIX: z
    .string()
    .max(200)
    .transform((prefix) => prefix.replace(/^\/+|\/+$/g, ''))
    .refine(
      (prefix) =>
        prefix === '' || prefix.split('/').every((name) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)),
      'must be names of letters, digits, ".", "_" and "-", with "/" between them',
    )
    .optional(),
  BERTH_S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .refine((url) => {
      const { username, password, search, hash } = new URL(url)
      return username + password + search + hash === ''
    }, 'must be a plain URL; keys come by AWS_ACCESS_KEY_ID and its like')
    .optional(),
  BERTH_S3_REGION: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,50}$/, 'must be the name of a region')
    .optional(),
  BERTH_S3_PATH_STYLE: z.enum(['true', 'false']).optional(),
}

type Values = z.infer<z.ZodObject<typeof s3Variables>>

/** The settings, or undefined when blobs are files. */
export const s3SettingsOf = (values: Values): S3Settings | undefined => {
  const { BERTH_S3_BUCKET: bucket, BERTH_S3_ENDPOINT: endpoint, BERTH_S3_PATH_STYLE: pathStyle } = values
  if (bucket === undefined) return undefined
  return {
    bucket,
    prefix: values.BERTH_S3_PREFIX ?? '',
    endpoint,
    region: values.BERTH_S3_REGION ?? 'us-east-1',
    pathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === 'true',
  }
}

/** Variables that say something about a bucket that isn't named: a mistyped name must not leave blobs on a disk. */
export const s3WithoutBucket = (given: Record<string, unknown>): { variable: string; message: string }[] =>
  given.BERTH_S3_BUCKET !== undefined
    ? []
    : Object.keys(s3Variables)
        .filter((variable) => given[variable] !== undefined)
        .map((variable) => ({ variable, message: 'is of no use without BERTH_S3_BUCKET' }))

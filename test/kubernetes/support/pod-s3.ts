const env = process.env

/** Why there is no S3-compatible server that pods reach, or undefined. */
export const noPodS3: string | undefined =
  env.BERTH_TEST_POD_S3_ENDPOINT === undefined
    ? 'needs BERTH_TEST_POD_S3_ENDPOINT with the keys and the bucket of the tests with S3'
    : undefined

/** The values of the chart for it, with a place of its own in the bucket. */
export const podS3Values = (prefix: string) => ({
  kind: 's3',
  s3: {
    bucket: env.BERTH_TEST_S3_BUCKET ?? 'berth-tests',
    prefix,
    endpoint: env.BERTH_TEST_POD_S3_ENDPOINT,
    accessKeyId: env.BERTH_TEST_S3_ACCESS_KEY,
    secretAccessKey: env.BERTH_TEST_S3_SECRET_KEY,
  },
})

import { parseArgs } from 'node:util'
import { buildImages } from './build-images.ts'

const { values } = parseArgs({
  options: {
    tag: { type: 'string' },
    prefix: { type: 'string' },
    'no-cache': { type: 'boolean' },
    json: { type: 'boolean' },
  },
})
try {
  const reports = await buildImages({ ...values, noCache: values['no-cache'] })
  const lines = reports.map(
    ({ image, seconds, compressedBytes }) =>
      `${image}: ${(compressedBytes / 1e6).toFixed(1)} MB compressed, built in ${seconds.toFixed(1)} s`,
  )
  process.stdout.write(`${values.json ? JSON.stringify(reports, null, 2) : lines.join('\n')}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

import { join } from 'node:path'
import { copyTools } from './copy-tools.ts'

// An init container runs this: node copy-tools.js DIRECTORY. It lies beside the launcher, below what is copied.
const [directory] = process.argv.slice(2)
if (directory === undefined) {
  process.stderr.write('usage: copy-tools DIRECTORY\n')
  process.exit(2)
}
try {
  await copyTools(join(import.meta.dirname, '..'), directory)
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`Berth's tools could not be copied into the image of the agent: ${message}\n`)
  process.exit(1)
}

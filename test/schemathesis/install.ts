import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const version = '4.32.5'

/**
 * Installs schemathesis for this project, once, and gives its program. Rejects when there is no Python 3.10 or later with venv
 * and pip.
 */
export const installSchemathesis = async (): Promise<string> => {
  const directory = join(import.meta.dirname, '../../node_modules/.cache', `schemathesis-${version}`)
  const program = join(directory, 'bin/schemathesis')
  if (existsSync(program)) return program
  await run('python3', ['-m', 'venv', directory])
  await run(join(directory, 'bin/pip'), ['install', '--quiet', `schemathesis==${version}`])
  return program
}

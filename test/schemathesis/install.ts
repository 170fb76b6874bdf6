import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const requirements = join(import.meta.dirname, 'requirements.txt')
const fits = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'

const reasonOf = ({ stderr, message }: { stderr?: string; message: string }): string =>
  (stderr?.trim() || message).slice(-2000)

/** Rejects unless it is a Python that schemathesis can be installed with. */
export const checkPython = (python: string): Promise<void> =>
  run(python, ['-c', fits]).then(
    () => undefined,
    (error) => {
      throw new Error(
        `schemathesis needs Python 3.10 or later as ${python}, with venv and pip: ${reasonOf(error)}\n` +
          'Install them, as root: apt-get install python3 python3-venv (Debian, Ubuntu), dnf install python3 (Fedora).',
      )
    },
  )

/**
 * Installs schemathesis for this project, once for each list of versions, and gives its program. Rejects when there is no
 * fitting Python, or when PyPI can't be reached.
 */
export const installSchemathesis = async (): Promise<string> => {
  const versions = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  const cache = join(import.meta.dirname, '../../node_modules/.cache')
  const directory = join(cache, `schemathesis-${versions.slice(0, 12)}`)
  const program = join(directory, 'bin/schemathesis')
  if (existsSync(program)) return program
  await checkPython('python3')
  const pip = ['install', '--quiet', '--disable-pip-version-check', '--requirement', requirements]
  await run('python3', ['-m', 'venv', directory])
  await run(join(directory, 'bin/pip'), pip).catch((error) => {
    throw new Error(
      `schemathesis could not be installed from PyPI: ${reasonOf(error)}\n` +
        'Make the registry reachable (PIP_INDEX_URL names another one), then try again.',
    )
  })
  return program
}

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, it } from 'vitest'
import { project, type World, withWorld } from '../support/world.ts'
import { installSchemathesis } from './install.ts'

const run = promisify(execFile)

/** What every answer has to be. Which input is refused is said by more than schemas: names that exist, and policies. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'ignored_auth',
]

/** Documented ones that are no faults of the backend: there is no remote, no runner, or not yet. */
const config = `
[checks.not_a_server_error]
expected-statuses = ["2XX", "3XX", "4XX", 502, 503, 504]
`

/** A run for each role ends with its first failures; they say how to repeat them. */
const examine = async ({ url, dataDir }: World, token: string): Promise<void> => {
  const program = await installSchemathesis()
  const file = join(dataDir, 'schemathesis.toml')
  await writeFile(file, config)
  const options = [
    ...['--config-file', file, 'run', `${url}/openapi.json`, '--header', `Authorization: Bearer ${token}`],
    ...['--checks', checks.join(','), '--phases', 'examples,coverage,fuzzing', '--max-examples', '12'],
    ...['--workers', '2', '--request-timeout', '60', '--no-shrink', '--suppress-health-check', 'all'],
    // It takes minutes, and says little that a schema could check.
    ...['--exclude-operation-id', 'diagnose', '--generation-database', 'none', '--warnings', 'off'],
  ]
  await run(program, options, { cwd: dataDir, maxBuffer: 64 * 1024 * 1024 }).catch((error) => {
    throw new Error(String(error.stdout).slice(-20_000))
  })
}

/** One session lives at a time; the others that are made wait. */
const small = { BERTH_MAX_LIVE_SESSIONS: '1', BERTH_RATE_LIMITS: 'read=0,write=0,expensive=0' }

describe('[P201] schemathesis finds no fault, and no answer that is not documented', () => {
  it.each(['viewer', 'editor', 'admin'] as const)('as %s', (role) =>
    withWorld(async (world) => {
      const { secret } = await world.client.createKey({ params: { project }, body: { name: 'fuzz', role } })
      await examine(world, secret)
    }, small),
  )

  it('as somebody without any role', () =>
    withWorld(async (world) => {
      await world.client.createProject({ body: { name: 'other' } })
      const params = { project: 'other' }
      const { secret } = await world.client.createKey({ params, body: { name: 'fuzz', role: 'viewer' } })
      await examine(world, secret)
    }, small))

  it('as the owner', () =>
    withWorld(
      async (world) => examine(world, (await readFile(join(world.dataDir, 'owner-token'), 'utf8')).trim()),
      small,
    ))
})

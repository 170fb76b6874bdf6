import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Context } from '../context.ts'

const run = promisify(execFile)

/** Asks the cluster of the user's own configuration; gives what it answers as JSON. Rejects with a message for people. */
export type Kubectl = (...args: string[]) => Promise<unknown>

const timeoutMs = 15_000

/** kubectl, with whatever way to sign in the user has set up for it. */
export const kubectlOf =
  ({ env }: Pick<Context, 'env'>): Kubectl =>
  async (...args) => {
    const options = { env, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 }
    try {
      const { stdout } = await run('kubectl', [...args, '-o', 'json', '--request-timeout=10s'], options)
      return JSON.parse(stdout) as unknown
    } catch (error) {
      throw new Error(wordsOf(error))
    }
  }

const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'kubectl was not found'
  if ('killed' in error && error.killed === true) return `kubectl gave no answer in ${timeoutMs / 1000} s`
  const said = 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : undefined
  return (said || error.message).slice(0, 1000)
}

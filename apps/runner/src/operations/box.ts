import { basename, dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { operationError } from '@berth/contract'
import { collect } from '@berth/git'
import type { Sandbox, SandboxedProcess, SandboxMount } from '@berth/sandbox'
import { z } from 'zod'
import type { Layout } from '../layout.ts'
import { OperationFailed } from './handlers.ts'
import type { Job } from './inside/main.ts'

/** The sandbox that file work is done in. */
export interface FileBox {
  sandbox: Sandbox
  layout: Layout
}

export interface BoxedJob {
  job: Job
  signal: AbortSignal
  timeoutMs: number
  /** Writes what the job reads; whatever it throws, the job's own refusal counts first. Default: nothing. */
  feed?: (stdin: Writable) => Promise<void>
  /** Reads what the job prints. */
  take: (stdout: Readable) => Promise<void>
}

const program = fileURLToPath(new URL('./inside/main.ts', import.meta.url))
const limits = { memoryBytes: 1024 ** 3, processes: 64, temporaryBytes: 16 * 1024 ** 2 }
const statusLimit = 512 * 1024

/**
 * Runs a job on the workspace, in a sandbox that shows nothing else: no network, no door, nothing of the user's. Gives
 * what the job says came of it, or throws an `OperationFailed`.
 */
export const runJob = async (
  box: FileBox,
  { job, signal, timeoutMs, feed, take }: BoxedJob,
): Promise<unknown> => {
  const child = spawn(box, job, timeoutMs)
  const abort = () => child.kill('SIGKILL')
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    const [fed, taken, status, exit] = await Promise.all([
      feed === undefined ? child.stdin.end() && undefined : feed(child.stdin).catch(asError),
      take(child.stdout).catch((error) => {
        abort()
        return asError(error)
      }),
      collect(child.stderr, statusLimit, () => undefined),
      child.exited,
    ])
    const outcome = outcomeIn(status.toString('utf8'))
    if (outcome?.error !== undefined) {
      const { code, message } = operationError.extend({ message: z.string() }).parse(outcome.error)
      throw new OperationFailed(code, message)
    }
    if (signal.aborted || exit.reason === 'time-limit')
      throw new OperationFailed('failed', 'It took too long.')
    const problem = fed ?? taken
    if (problem !== undefined) throw problem
    if (outcome?.ok === undefined) throw new OperationFailed('failed', exit.message)
    return outcome.ok
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

const spawn = ({ sandbox, layout }: FileBox, job: Job, timeoutMs: number): SandboxedProcess => {
  const { inside, outside } = layout
  const renames = inside.workspace !== outside.workspace
  const tools: SandboxMount[] = [
    { path: dirname(program), mode: 'ro', target: '/opt/berth/files' },
    { path: process.execPath, mode: 'ro', target: '/opt/berth/node/node' },
  ]
  return sandbox.spawn({
    command: renames ? '/opt/berth/node/node' : process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      renames ? `/opt/berth/files/${basename(program)}` : program,
      inside.workspace,
      JSON.stringify(job),
    ],
    cwd: inside.workspace,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: inside.temporary, LC_ALL: 'C.UTF-8' },
    mounts: [
      { path: outside.workspace, mode: 'rw', target: inside.workspace },
      ...(renames && !layout.container ? tools : []),
    ],
    limits: { ...limits, wallClockMs: timeoutMs },
  })
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** The last line, which is the job's own; before it may be what Node has to say. */
const outcomeIn = (text: string): { ok?: unknown; error?: unknown } | undefined => {
  try {
    return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')
  } catch {
    return undefined
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { access, constants, mkdir, rm, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { type RunnerSpec, RuntimeError } from '@berth/runtime'
import { environmentOf } from './environment.ts'
import { toRuntimeError, writeFailure } from './file-error.ts'
import { mirrorsOf } from './mirrors.ts'
import type { LocalOptions } from './options.ts'
import type { RunFiles } from './run-files.ts'
import { supervisorExit, supervisorScript } from './supervisor.ts'

export interface Start {
  spec: RunnerSpec
  files: RunFiles
  options: LocalOptions
  boot: string
}

/**
 * Starts a supervisor and waits until it has claimed the session. Nothing when another one was first. Throws
 * RuntimeError. The process is detached: it lives on without us.
 */
export const startSupervisor = async (start: Start): Promise<ChildProcess | undefined> => {
  const { spec, files, options } = start
  const doing = `start the runner of ${spec.session}`
  try {
    await checkCommand(options.command, doing)
    await mkdir(files.directory, { recursive: true, mode: 0o700 })
    await removeStaleClaim(files)
    const child = await spawnDetached(start)
    if ((await files.record())?.pid === child.pid) return child
    if ((await exitOf(child)) === supervisorExit.claimed) return undefined
    throw await writeFailure(doing, files.directory)
  } catch (error) {
    throw toRuntimeError(error, doing, files.directory)
  }
}

const checkCommand = async (command: readonly string[], doing: string): Promise<void> => {
  const program = command[0] ?? ''
  if (!isAbsolute(program)) return
  await access(program, constants.X_OK).catch(() => {
    const message = `Could not ${doing}: ${program} is missing or can't be executed. Install Berth again.`
    throw new RuntimeError({ reason: 'spawn', message, retryable: false })
  })
}

/** The mirrors of a session are those of its project. */
const baseOf = ({ baseEnv, mirrors }: LocalOptions, { project }: RunnerSpec): Record<string, string> =>
  mirrors === undefined ? baseEnv : { ...baseEnv, BERTH_MIRROR_DIR: mirrorsOf(mirrors, project) }

/** Resolves when the supervisor has closed its end of the pipe: it has claimed the session, or it has ended. */
const spawnDetached = ({ spec, files, options, boot }: Start): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const facts = [spec.generation, options.clock.now(), boot, options.logLimitBytes].map(String)
    const child = spawn('/bin/sh', ['-c', supervisorScript, 'berth-runner', ...facts, ...options.command], {
      cwd: files.directory,
      env: environmentOf(spec, files, baseOf(options, spec)),
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    })
    child.unref()
    child.once('error', reject)
    const claim = child.stdio[3]
    if (!claim || !('resume' in claim)) return
    claim.once('error', () => undefined)
    claim.once('close', () => resolve(child))
    claim.resume()
  })

const exitOf = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', resolve))

/**
 * A supervisor that was killed between two system calls leaves a claim with nothing in it. A young one may be that of
 * a supervisor which is about to write.
 */
const removeStaleClaim = async (files: RunFiles): Promise<void> => {
  const stats = await stat(files.path('runner.json')).catch(() => undefined)
  if (stats?.size === 0 && Date.now() - stats.mtimeMs > staleClaimMs)
    await rm(files.path('runner.json'), { force: true })
}

const staleClaimMs = 1000

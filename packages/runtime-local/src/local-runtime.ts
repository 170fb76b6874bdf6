import type { ChildProcess } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import {
  checkSessionId,
  isSessionId,
  type RunnerObservation,
  type RunnerSpec,
  type Runtime,
  RuntimeError,
  SessionLock,
  type StopOptions,
} from '@berth/runtime'
import { Adopted } from './adopted.ts'
import { endRunner } from './end-runner.ts'
import { toRuntimeError } from './file-error.ts'
import { look, type Place, settle, sweep } from './look.ts'
import { isProjectName, mirrorsOf } from './mirrors.ts'
import { compileOptions, type LocalOptions, type LocalRuntimeOptions } from './options.ts'
import { processTable, readBootId } from './process-table.ts'
import { removeTree } from './remove-tree.ts'
import { RunFiles, type RunnerRecord } from './run-files.ts'
import { startSupervisor } from './start.ts'

/**
 * Runners as detached processes of this machine, each with a small supervisor that outlives the backend. What is
 * known stands in `<directory>/<session>/run`; nothing is remembered that isn't read again. Throws for bad options.
 */
export const createLocalRuntime = async (options: LocalRuntimeOptions): Promise<Runtime> => {
  const compiled = compileOptions(options)
  try {
    await mkdir(compiled.directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw toRuntimeError(error, 'use the directory for sessions', compiled.directory)
  }
  return new LocalRuntime(compiled, { table: processTable, boot: await readBootId() })
}

const startAttempts = 3
const parallelLooks = 32

class LocalRuntime implements Runtime {
  readonly kind = 'local'
  readonly #options: LocalOptions
  readonly #place: Place
  readonly #lock = new SessionLock()
  readonly #children = new Map<string, ChildProcess>()
  readonly #forceAt = new Map<string, number>()
  readonly #listeners = new Set<(session: string) => void>()
  readonly #adopted: Adopted

  constructor(options: LocalOptions, place: Place) {
    this.#options = options
    this.#place = place
    this.#adopted = new Adopted({
      clock: options.clock,
      pollMs: options.pollMs,
      look: async (session) => (await this.observe(session)).state === 'running',
      onEnd: (session) => this.#ended(session),
    })
  }

  ensure(spec: RunnerSpec): Promise<void> {
    return this.#exclusive(spec.session, 'start', async (files) => {
      for (let attempt = 0; attempt < startAttempts; attempt++) {
        const record = await files.record()
        if (record?.generation === spec.generation) return
        if (record && record.generation > spec.generation) throw outdated(spec, record)
        if (record) await this.#replace(files, record)
        const child = await startSupervisor({ spec, files, options: this.#options, boot: this.#place.boot })
        if (child) return this.#follow(spec.session, child)
      }
      throw contested(spec)
    })
  }

  async observe(session: string): Promise<RunnerObservation> {
    const files = new RunFiles(this.#options.directory, checkSessionId(session))
    try {
      const seen = await look(files, this.#place)
      if (seen.state === 'running' && !this.#children.has(session)) this.#adopted.add(session)
      if (seen.state !== 'gone') return seen
      return await this.#lock.run(session, () => settle(files, this.#place, this.#options.clock))
    } catch (error) {
      throw toRuntimeError(error, `look at the runner of ${session}`, files.directory)
    }
  }

  async stop(session: string, { graceMs }: StopOptions): Promise<void> {
    this.#hasten(session, graceMs)
    await this.#exclusive(session, 'stop', (files) => this.#end(files, graceMs))
  }

  async list(): Promise<RunnerObservation[]> {
    const { directory } = this.#options
    const names = await readdir(directory).catch((error: unknown) => {
      throw toRuntimeError(error, 'list the runners', directory)
    })
    const found: RunnerObservation[] = []
    const sessions = names.filter(isSessionId).values()
    const work = async () => {
      for (const session of sessions) {
        const observation = await this.observe(session)
        if (observation.state !== 'absent') found.push(observation)
      }
    }
    await Promise.all(Array.from({ length: parallelLooks }, work))
    return found
  }

  async remove(session: string): Promise<void> {
    this.#hasten(session, 0)
    await this.#exclusive(session, 'remove', async (files) => {
      await this.#end(files, 0)
      await removeTree(files.sessionDirectory)
    })
  }

  /** What is kept for a project as a whole: the mirrors of its repositories. */
  async projects(): Promise<string[]> {
    const { mirrors } = this.#options
    if (mirrors === undefined) return []
    try {
      return (await readdir(mirrors)).filter(isProjectName)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw toRuntimeError(error, 'list the mirrors', mirrors)
    }
  }

  async removeProject(project: string): Promise<void> {
    const { mirrors } = this.#options
    if (mirrors === undefined) return
    const directory = mirrorsOf(mirrors, project)
    try {
      await removeTree(directory)
    } catch (error) {
      throw toRuntimeError(error, 'remove the mirrors', directory)
    }
  }

  watch(onHint: (session: string) => void): () => void {
    const listener = (session: string) => onHint(session)
    this.#listeners.add(listener)
    // Finds the runners of an earlier backend. Hints may be lost, so a failure here is no more than that.
    this.list().catch(() => undefined)
    return () => void this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    this.#adopted.close()
    for (const child of this.#children.values()) child.removeAllListeners('exit')
    this.#children.clear()
  }

  async #exclusive(session: string, verb: string, task: (files: RunFiles) => Promise<void>): Promise<void> {
    const files = new RunFiles(this.#options.directory, checkSessionId(session))
    try {
      await this.#lock.run(session, () => task(files))
    } catch (error) {
      throw toRuntimeError(error, `${verb} the runner of ${session}`, files.sessionDirectory)
    }
  }

  /** Shortens the grace of a stop that is under way. */
  #hasten(session: string, graceMs: number): void {
    const before = this.#forceAt.get(checkSessionId(session)) ?? Number.POSITIVE_INFINITY
    this.#forceAt.set(session, Math.min(before, this.#options.clock.now() + graceMs))
  }

  async #end(files: RunFiles, graceMs: number): Promise<void> {
    const { clock } = this.#options
    const forceAt = clock.now() + graceMs
    const deadline = () => Math.min(forceAt, this.#forceAt.get(files.session) ?? forceAt)
    try {
      const record = await files.record()
      if (record) await endRunner({ files, record, place: this.#place, clock, deadline })
    } finally {
      this.#forceAt.delete(files.session)
    }
  }

  async #replace(files: RunFiles, record: RunnerRecord): Promise<void> {
    const { clock, replaceGraceMs } = this.#options
    const forceAt = clock.now() + replaceGraceMs
    await endRunner({ files, record, place: this.#place, clock, deadline: () => forceAt })
    await files.clear()
  }

  #follow(session: string, child: ChildProcess): void {
    this.#adopted.drop(session)
    this.#children.set(session, child)
    const onExit = () => {
      if (this.#children.get(session) === child) this.#children.delete(session)
      this.#ended(session)
    }
    if (child.exitCode !== null || child.signalCode !== null) onExit()
    else child.once('exit', onExit)
  }

  #ended(session: string): void {
    const files = new RunFiles(this.#options.directory, session)
    const tidy = async () => {
      const record = await files.record()
      if (record) await sweep(files, record, this.#place)
    }
    // Before the hint: what the hint brings about waits for the lock. What tidying misses, stop and ensure find.
    this.#lock.run(session, tidy).catch(() => undefined)
    for (const listener of this.#listeners) listener(session)
  }
}

const outdated = (spec: RunnerSpec, record: RunnerRecord): RuntimeError =>
  new RuntimeError({
    reason: 'forbidden',
    message: `Generation ${spec.generation} of ${spec.session} was not started: generation ${record.generation} has been started since.`,
    retryable: false,
  })

const contested = (spec: RunnerSpec): RuntimeError =>
  new RuntimeError({
    reason: 'unavailable',
    message: `The runner of ${spec.session} was not started: another program starts runners in the same directory. Let one backend use it.`,
    retryable: true,
  })

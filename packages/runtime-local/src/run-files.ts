import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** `runner.json`: written once by the supervisor, before its runner starts. */
export interface RunnerRecord {
  /** The supervisor's pid, which is also its process group and session. */
  pid: number
  start: string
  boot: string
  generation: number
  startedAt: number
}

/** `exit.json`: how it ended. Code as a shell sees it (128 + n for signal n); none when nobody saw it. */
export interface ExitRecord {
  generation: number
  code: number | undefined
  /** When the file was written, milliseconds since 1970. */
  at: number
}

/** The files of one session's runner, in `<session directory>/run`. */
export class RunFiles {
  readonly session: string
  readonly sessionDirectory: string
  readonly directory: string

  constructor(root: string, session: string) {
    this.session = session
    this.sessionDirectory = join(root, session)
    this.directory = join(this.sessionDirectory, 'run')
  }

  path(name: 'runner.json' | 'exit.json' | 'exit.tmp' | 'runner.log' | 'runner.log.1'): string {
    return join(this.directory, name)
  }

  /** Nothing when no supervisor has claimed the session. */
  async record(): Promise<RunnerRecord | undefined> {
    const value = await readJson(this.path('runner.json'))
    const { pid, start, boot, generation, startedAt } = value
    if (!isCount(pid) || !isCount(generation) || !isCount(startedAt)) return undefined
    if (typeof start !== 'string' || typeof boot !== 'string') return undefined
    return { pid, start: start.trim(), boot, generation, startedAt }
  }

  /** With `orphaned`, also what a supervisor had written when it was killed before it could publish it. */
  async exit(generation: number, orphaned = false): Promise<ExitRecord | undefined> {
    for (const name of orphaned ? (['exit.json', 'exit.tmp'] as const) : (['exit.json'] as const)) {
      const value = await readJson(this.path(name))
      if (value.generation !== generation) continue
      const at = await stat(this.path(name)).then(
        (stats) => Math.round(stats.mtimeMs),
        () => undefined,
      )
      if (at !== undefined) return { generation, code: isCount(value.code) ? value.code : undefined, at }
    }
    return undefined
  }

  /** For a supervisor that could not do it itself: keeps what it had noted, or else writes `code`. */
  async closeExit(generation: number, code: number | undefined): Promise<void> {
    if (!(await this.exit(generation, true)))
      await writeFile(this.path('exit.tmp'), `${JSON.stringify({ generation, code })}\n`, { mode: 0o600 })
    if (!(await this.exit(generation))) await rename(this.path('exit.tmp'), this.path('exit.json'))
  }

  /** Makes room for the next generation; the log of the last one stays as the older part. */
  async clear(): Promise<void> {
    await rename(this.path('runner.log'), this.path('runner.log.1')).catch(() => undefined)
    for (const name of ['exit.json', 'exit.tmp', 'runner.json'] as const)
      await rm(this.path(name), { force: true })
  }

  /** The last lines of the log, at most 2000 characters, without control characters. */
  async logTail(): Promise<string> {
    const handle = await open(this.path('runner.log'), 'r').catch(() => undefined)
    if (!handle) return ''
    try {
      const { size } = await handle.stat()
      const buffer = Buffer.alloc(Math.min(size, 2000))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length)
      const text = buffer.toString('utf8', 0, bytesRead).replace(/[^\P{C}\n\t]/gu, '')
      return text.trim().split('\n').slice(-12).join('\n')
    } finally {
      await handle.close()
    }
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

const readJson = async (path: string): Promise<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return {}
    throw error
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

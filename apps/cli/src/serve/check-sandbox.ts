import { type ExecFileException, execFile } from 'node:child_process'

/** What the runner's own check found. */
export interface SandboxCheck {
  ok: boolean
  /** What works, or what doesn't. */
  text: string
  /** How to repair it. */
  repair: string | undefined
}

/** Asks the runner, in a process of its own, whether its sandbox works here: `--check` prints JSON. */
export const checkSandbox = (runner: string, env: NodeJS.ProcessEnv): Promise<SandboxCheck> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [runner, '--check'],
      { env, timeout: 30_000, maxBuffer: 1024 * 1024 },
      (error, stdout) =>
        resolve(
          parseCheck(stdout) ?? {
            ok: false,
            text: `could not be checked: ${whyFailed(error)}`,
            repair: undefined,
          },
        ),
    )
  })

const whyFailed = (error: ExecFileException | null): string => {
  if (error === null) return 'the runner’s check gave no answer'
  return error.killed === true
    ? 'the runner’s check took too long'
    : `the runner’s check ended with ${error.code ?? error.signal}`
}

/** The runner prints one line: `{ sandbox, ok, detail }`, or `{ sandbox, ok, problem, repair }`. */
const parseCheck = (stdout: string): SandboxCheck | undefined => {
  try {
    const { sandbox, ok, detail, problem, repair } = JSON.parse(stdout) as Record<string, unknown>
    if (typeof ok !== 'boolean') return undefined
    const text = ok ? (detail ?? sandbox ?? 'works') : (problem ?? 'does not work')
    return { ok, text: String(text), repair: typeof repair === 'string' ? repair : undefined }
  } catch {
    return undefined
  }
}

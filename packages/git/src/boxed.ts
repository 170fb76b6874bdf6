import type { Sandbox, SandboxExit, SandboxedProcess, SandboxMount } from '@berth/sandbox'
import { collect } from './collect.ts'

/** A shell script that runs git on a tree which nobody trusts: without network, door, or anything of the user's. */
export interface BoxedScript {
  /** Fixed text; everything that varies is in `args`, as `$1`, `$2` … */
  script: string
  args: readonly string[]
  mounts: readonly SandboxMount[]
  /** A directory inside. */
  cwd: string
  /** A directory inside for temporary files. */
  temporary: string
  timeoutMs: number
}

export interface BoxedResult {
  exit: SandboxExit
  stdout: Buffer
  /** The beginning. */
  stderr: string
  /** The output was longer than its limit, and the script was ended. */
  overflow: boolean
}

/** Settings that win over a repository's own. Everything in its config could be a trap. */
const overrides: [string, string][] = [
  ['safe.directory', '*'],
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.pager', 'cat'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['protocol.allow', 'never'],
  ['protocol.file.allow', 'always'],
  ['advice.addEmbeddedRepo', 'false'],
  ['advice.detachedHead', 'false'],
  ['init.defaultBranch', 'main'],
  ['submodule.recurse', 'false'],
  ['core.splitIndex', 'false'],
  ['core.untrackedCache', 'false'],
]

const boxedEnvironment = (temporary: string): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: temporary,
  TMPDIR: temporary,
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_CONFIG_COUNT: String(overrides.length),
  ...Object.fromEntries(
    overrides.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ),
})

const boxLimits = { memoryBytes: 1024 ** 3, processes: 64, temporaryBytes: 256 * 1024 ** 2 }
const stderrLimit = 16 * 1024

/** Starts a script; the caller reads its output. */
export const startBoxed = (sandbox: Sandbox, options: BoxedScript): SandboxedProcess =>
  sandbox.spawn({
    command: '/bin/sh',
    args: ['-c', options.script, 'git', ...options.args],
    cwd: options.cwd,
    env: boxedEnvironment(options.temporary),
    mounts: options.mounts,
    limits: { ...boxLimits, wallClockMs: options.timeoutMs },
  })

/** Runs a script to its end and collects its output, at most `outputLimit` bytes. Never rejects. */
export const runBoxed = async (
  sandbox: Sandbox,
  options: BoxedScript & { outputLimit: number; stdin?: string },
): Promise<BoxedResult> => {
  const process = startBoxed(sandbox, options)
  process.stdin.end(options.stdin ?? '')
  let overflow = false
  const onOverflow = () => {
    overflow = true
    process.kill('SIGKILL')
  }
  const [stdout, stderr, exit] = await Promise.all([
    collect(process.stdout, options.outputLimit, onOverflow),
    collect(process.stderr, stderrLimit, () => undefined),
    process.exited,
  ])
  return { exit, stdout, stderr: stderr.toString('utf8'), overflow }
}

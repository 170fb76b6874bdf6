import { type ChildProcess, spawn } from 'node:child_process'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { collect } from './collect.ts'
import {
  configEnvironment,
  type GitProxy,
  proxyAbsence,
  proxyEnvironment,
  withoutProxy,
} from './git-proxy.ts'
import type { RemoteGuard } from './remote.ts'

/** The operator's surroundings, for git that talks to remotes with the operator's own credentials. */
export interface GitSurroundings {
  path: string
  home: string | undefined
  /** For an ssh agent, a proxy and certificates: passed on when set. */
  inherited: Readonly<Record<string, string | undefined>>
  /** Everything goes through it, without the operator's configuration and credentials. Default: git goes out by itself. */
  proxy?: GitProxy
  /** Asked before a remote is: see `runRemote`. Default: every remote may be asked. */
  guard?: RemoteGuard
  /** More settings of git, in its environment. */
  config?: readonly [string, string][]
}

const passedOn =
  /^(SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO|(https?|all|no)_proxy|XDG_CONFIG_HOME|XDG_RUNTIME_DIR|GIT_SSH_COMMAND|GIT_CONFIG_GLOBAL)$/i

/** Old repositories have these, and they do no harm; everything else that fsck finds is refused. */
const lenient = [
  'zeroPaddedFilemode',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'badTimezone',
  'badDateOverflow',
  'missingEmail',
  'badEmail',
  'multipleAuthors',
  'zeroPaddedDate',
]

/** The same for `git index-pack --strict=`. */
export const strictness = lenient.map((name) => `${name}=ignore`).join(',')

const settings = [
  'protocol.ext.allow=never',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'transfer.fsckObjects=true',
  ...lenient.map((name) => `fetch.fsck.${name}=ignore`),
  'fetch.unpackLimit=1',
  'fetch.recurseSubmodules=false',
  'fetch.writeCommitGraph=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=60',
  'safe.directory=*',
]

export interface TrustedGit {
  /** The mirror to work on; nothing else is looked for. Left out: a command that needs no repository. */
  mirror?: string
  args: readonly string[]
  timeoutMs: number
  /** A stream can't be sent again: then nothing is done twice. */
  input?: Readable | string
  outputLimit?: number
  /** Bytes of the largest file that may be written. Default 8 GiB. */
  fileLimit?: number
  /** Bytes of memory of one process. What a remote sends decides how much git asks for. Default 4 GiB. */
  memoryLimit?: number
}

export interface TrustedResult {
  ok: boolean
  stdout: string
  stderr: string
  timedOut: boolean
}

/**
 * Holds git to its limits, and to the runner's life: the reader beside it ends the process group (git's own session)
 * when the other end of descriptor 3 is gone without a word, as after a SIGKILL of the runner. Otherwise git would go on
 * writing to a mirror whose lock is free again.
 */
const launcher = `
ulimit -f "$1"
ulimit -d "$2"
shift 2
{ read -r _ <&3 || kill -KILL 0; } </dev/null >/dev/null 2>&1 &
exec 3<&-
exec git "$@"
`

const running = new Set<ChildProcess>()

const killGroup = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended by itself in this moment.
  }
}

process.on('exit', () => running.forEach(killGroup))

/** git that runs: its output is read by the caller, to the end or destroyed. */
export interface TrustedProcess {
  stdout: Readable
  /** Resolves at its end. Never rejects. */
  ended: Promise<Omit<TrustedResult, 'stdout'>>
  /** Ends it at once. */
  kill(): void
}

/**
 * Starts git outside the sandbox, for output that is too long to keep. Only on bare mirrors that Berth made, never on a
 * tree that an agent can write or on a user's repository. It can ask nobody: no terminal, no password prompt.
 */
export const startTrusted = (
  surroundings: GitSurroundings,
  options: Omit<TrustedGit, 'outputLimit'>,
): TrustedProcess => {
  const { timeoutMs, input } = options
  const child = launch(surroundings, options)
  const life = child.stdio[3] as Writable
  life.on('error', () => undefined)
  child.once('exit', () => life.end('\n'))
  let timedOut = false
  running.add(child)
  const kill = () => killGroup(child)
  const timer = setTimeout(() => {
    timedOut = true
    kill()
  }, timeoutMs)
  child.stdin.on('error', () => undefined)
  if (typeof input === 'object') input.on('error', kill).pipe(child.stdin)
  else child.stdin.end(input ?? '')
  // Taken at once: what nobody listens to when a process exits, Node throws away.
  const stdout = child.stdout.pipe(new PassThrough())
  // Nobody who gives the output up early should leave git waiting for a reader.
  stdout.once('close', () => {
    child.stdout.destroy()
    if (!stdout.readableEnded) kill()
  })
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', (code) => resolve(code))
  })
  const told = async () => {
    const [stderr, code] = await Promise.all([collect(child.stderr, 64 * 1024, () => undefined), ended])
    clearTimeout(timer)
    running.delete(child)
    const text = stderr.toString('utf8')
    const { proxy } = surroundings
    return { ok: code === 0, stderr: proxy === undefined ? text : withoutProxy(text, proxy), timedOut }
  }
  return { stdout, ended: told(), kill }
}

/** How often a command is done again that broke off in the middle. */
const mostCuts = 5

/**
 * The same, with its output collected. A command to which the git proxy was away, or that it broke off, is done again as a
 * whole. Never rejects.
 */
export const runTrusted = async (
  surroundings: GitSurroundings,
  options: TrustedGit,
): Promise<TrustedResult> => {
  const { patienceMs = 600_000, delaysMs = { first: 200, longest: 3000 } } = surroundings.proxy ?? {}
  const deadline = Date.now() + patienceMs
  let cuts = 0
  for (let delay = delaysMs.first; ; delay = Math.min(delay * 2, delaysMs.longest)) {
    const result = await runOnce(surroundings, options)
    if (result.ok || result.timedOut || surroundings.proxy === undefined || typeof options.input === 'object')
      return result
    const absence = proxyAbsence(result.stderr)
    if (absence === 'cut') cuts += 1
    if (absence === undefined || cuts > mostCuts || Date.now() + delay > deadline) return result
    await sleep(delay)
  }
}

const runOnce = async (surroundings: GitSurroundings, options: TrustedGit): Promise<TrustedResult> => {
  const { outputLimit = 16 * 1024 * 1024 } = options
  const { stdout, ended, kill } = startTrusted(surroundings, options)
  const [output, end] = await Promise.all([collect(stdout, outputLimit, kill), ended])
  return { ...end, stdout: output.toString('utf8') }
}

const launch = (
  surroundings: GitSurroundings,
  { mirror, args, fileLimit = 8 * 1024 ** 3, memoryLimit = 4 * 1024 ** 3 }: TrustedGit,
) => {
  const config = settings.flatMap((setting) => ['-c', setting])
  // By `-C`, git would look for a repository in the directories above a damaged mirror: the operator's own, perhaps.
  const place = mirror === undefined ? [] : [`--git-dir=${mirror}`]
  // sh counts the limits in blocks of 512 bytes and in KiB.
  const limits = [Math.ceil(fileLimit / 512), Math.ceil(memoryLimit / 1024)].map(String)
  const env = environment(surroundings)
  // Its own session keeps git and ssh from finding a terminal.
  const how = {
    cwd: '/',
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  }
  return spawn('/bin/sh', ['-c', launcher, 'git', ...limits, ...config, ...place, ...args], how)
}

const environment = ({
  path,
  home,
  inherited,
  proxy,
  config = [],
}: GitSurroundings): Record<string, string> => ({
  ...(proxy === undefined
    ? { ...operators({ home, inherited }), ...configEnvironment(config) }
    : proxyEnvironment(proxy)),
  PATH: path,
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  SSH_ASKPASS_REQUIRE: 'never',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_NO_LAZY_FETCH: '1',
})

const operators = ({
  home,
  inherited,
}: Pick<GitSurroundings, 'home' | 'inherited'>): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(inherited).filter(
      (entry): entry is [string, string] => passedOn.test(entry[0]) && entry[1] !== undefined,
    ),
  ),
  ...(home === undefined ? {} : { HOME: home }),
  GIT_ALLOW_PROTOCOL: 'https:http:ssh:git',
})

import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { asSpawnedProcess, type Sandbox, type SandboxedProcess, type SandboxMount } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import { boundedOutput } from './bounded-output.ts'
import { helperDirectory } from './git-environment.ts'
import type { SpawnClaude } from './kit.ts'
import type { AgentExit } from './live-agent.ts'

/** Where Claude Code and Node lie inside, when the sandbox can show paths under other names. */
const toolDirectory = '/opt/berth'

/** The system's programs first; the runner's own Node last, for machines that have no other. */
export const agentPath = `/usr/local/bin:/usr/bin:/bin:${toolDirectory}/node:${helperDirectory}`

/** The directory of git's remote helper outside. */
const gitHelper = fileURLToPath(new URL('../git/remote-helper/', import.meta.url))

export interface ClaudePlace {
  sandbox: Sandbox
  layout: Layout
  doorSocket: string
  /** The native Claude Code outside. */
  executable: string
  limits: { memoryBytes: number; processes: number; milliCpus: number }
  /** What Claude Code is started by, when programs may reach other hosts; asked at each start. Empty: by itself. */
  startedBy(): string[]
  /** Resolves when more of the agent's output can be kept. */
  room(): Promise<void>
  onStderr(text: string): void
  /** Tells people something. */
  warn(message: string): void
}

/** Claude Code as it is called inside. */
export const insideExecutable = ({
  layout,
  executable,
}: Pick<ClaudePlace, 'layout' | 'executable'>): string =>
  renamed(layout) ? `${toolDirectory}/claude/${basename(executable)}` : executable

/** Node as it is called inside. */
export const nodeInside = (layout: Layout): string =>
  renamed(layout) ? `${toolDirectory}/node/node` : process.execPath

const renamed = ({ inside, outside }: Layout): boolean => inside.workspace !== outside.workspace

/** What the agent's sandbox shows beside the system: its directories, and its programs read-only. */
export const agentMounts = ({
  layout,
  executable,
}: Pick<ClaudePlace, 'layout' | 'executable'>): SandboxMount[] => {
  const { outside, inside } = layout
  const own: SandboxMount[] = [
    { path: outside.workspace, mode: 'rw', target: inside.workspace },
    { path: outside.home, mode: 'rw', target: inside.home },
    { path: outside.attachments, mode: 'ro', target: inside.attachments },
    { path: outside.setup, mode: 'ro', target: inside.setup },
    { path: outside.workflow, mode: 'ro', target: inside.workflow },
  ]
  // The image of a container has its programs at the same paths.
  if (!renamed(layout) || layout.container) return own
  return [
    ...own,
    { path: dirname(executable), mode: 'ro', target: `${toolDirectory}/claude` },
    { path: process.execPath, mode: 'ro', target: nodeInside(layout) },
    { path: gitHelper, mode: 'ro', target: helperDirectory },
  ]
}

/** The SDK's hook that starts Claude Code in the sandbox; `started` gets the process to watch. */
export const spawnClaude =
  (place: ClaudePlace) =>
  (started: (process: SandboxedProcess) => void): SpawnClaude =>
  (request) => {
    const { sandbox, layout, limits, doorSocket, room } = place
    const [command = request.command, ...args] = [...place.startedBy(), request.command, ...request.args]
    const child = sandbox.spawn({
      command,
      args,
      cwd: request.cwd ?? layout.inside.workspace,
      env: Object.fromEntries(
        Object.entries(request.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
      mounts: agentMounts(place),
      door: { socket: doorSocket, target: layout.inside.door },
      limits,
      signal: request.signal,
    })
    started(child)
    const onTooLong = () => {
      place.warn('Claude Code wrote a line of more than 64 MB, which no honest one does: it was ended.')
      child.kill('SIGKILL')
    }
    const stdout = Readable.from(boundedOutput(child.stdout, { stdin: child.stdin, room, onTooLong }), {
      objectMode: false,
      highWaterMark: 64 * 1024,
    })
    return asSpawnedProcess({ ...child, stdout }, place.onStderr)
  }

/** The end of a sandboxed Claude Code in the contract's words. */
export const agentExitOf = (exit: Awaited<SandboxedProcess['exited']>, said = ''): AgentExit => {
  const text = exit.message.replace(/^The command/, 'Claude Code')
  const message = (exit.reason === 'exit' && said !== '' ? `${text} ${said}` : text).slice(0, 4000)
  if (exit.reason === 'out-of-memory' || exit.reason === 'time-limit') return { reason: exit.reason, message }
  if (exit.signal !== null) return { reason: 'killed', message }
  return { reason: exit.code === 0 ? 'exited' : 'crashed', message }
}

import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Sandbox, SandboxedProcess } from '@berth/sandbox'
import type { z } from 'zod'
import { nodeInside } from '../agent/sandboxed-claude.ts'
import type { Layout } from '../layout.ts'
import type { AgentHome } from './agent-home.ts'
import { type HomeCall, homeAnswer, homeCalls } from './home-calls.ts'

export interface BoxedHomeOptions {
  sandbox: Sandbox
  layout: Layout
  /** How long one answer may take, in ms. Default: a minute. */
  timeoutMs?: number
}

const program = fileURLToPath(new URL('./main.ts', import.meta.url))
const limits = { memoryBytes: 1024 ** 3, processes: 64 }

/** The program is gone, or does not answer. */
class HomeLost extends Error {
  override readonly name = 'HomeLost'
}

interface Program {
  ask(call: HomeCall, args: unknown): Promise<unknown>
  end(): void
}

/**
 * The agent's home for a runner that has another user: the same code as a program in the sandbox without a door, which is
 * kept. When it is lost, it is started again, and what was asked is asked once more: every call may be repeated.
 */
export const openBoxedHome = (options: BoxedHomeOptions): AgentHome & { close(): void } => {
  let running: Program | undefined
  const ask = async (call: HomeCall, args: readonly unknown[]): Promise<unknown> => {
    const { args: form, result } = homeCalls[call] as { args: z.ZodType; result: z.ZodType }
    const written = form.encode(args)
    const once = () => {
      running ??= start(options, (lost) => {
        if (running === lost) running = undefined
      })
      return running.ask(call, written)
    }
    const found = await once().catch((error) => {
      if (!(error instanceof HomeLost)) throw error
      return once()
    })
    return result.decode(found)
  }
  const calls = Object.fromEntries(
    (Object.keys(homeCalls) as HomeCall[]).map((call) => [call, (...args: unknown[]) => ask(call, args)]),
  ) as unknown as AgentHome
  return { ...calls, close: () => running?.end() }
}

const start = (options: BoxedHomeOptions, onLost: (program: Program) => void): Program => {
  const { timeoutMs = 60_000 } = options
  const child = spawn(options)
  const open = new Map<number, PromiseWithResolvers<unknown>>()
  let last = 0
  const own: Program = {
    async ask(call, args) {
      const id = ++last
      const answer = Promise.withResolvers<unknown>()
      open.set(id, answer)
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      child.stdin.write(`${JSON.stringify({ id, call, args })}\n`)
      return answer.promise.finally(() => clearTimeout(timer))
    },
    end: () => child.kill('SIGKILL'),
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = parse(line)
    const answer = id === undefined ? undefined : open.get(id)
    if (id === undefined || answer === undefined) return
    open.delete(id)
    if (error === undefined) answer.resolve(result)
    else answer.reject(new Error(error))
  })
  child.stderr.resume()
  void child.exited.then(({ message }) => {
    onLost(own)
    for (const answer of open.values())
      answer.reject(new HomeLost(`the agent’s home can’t be read: ${message}`))
  })
  return own
}

const parse = (line: string): Partial<z.output<typeof homeAnswer>> => {
  try {
    return homeAnswer.parse(JSON.parse(line))
  } catch {
    return {}
  }
}

const spawn = ({ sandbox, layout }: BoxedHomeOptions): SandboxedProcess => {
  const { outside, inside } = layout
  return sandbox.spawn({
    command: nodeInside(layout),
    args: ['--disable-warning=ExperimentalWarning', `/opt/berth/home/${basename(program)}`, inside.home],
    cwd: inside.home,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: inside.temporary, LC_ALL: 'C.UTF-8' },
    mounts: [{ path: outside.home, mode: 'rw', target: inside.home }],
    limits,
  })
}

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunnerClient } from '@berth/client'
import { emailOf, isBerthError, type RunnerFactBody, type RunnerWelcome } from '@berth/contract'
import type { Sandbox } from '@berth/sandbox'
import type { AgentKeeper } from './agent/keeper.ts'
import type { AgentKit } from './agent/kit.ts'
import type { CheckpointReason } from './checkpoint/checkpointer.ts'
import type { Saver } from './checkpoint/saver.ts'
import type { Config } from './config.ts'
import { type Door, openDoor } from './door/door.ts'
import { type Ending, endings, stoppedFor } from './ending.ts'
import { type ExitCode, exitCode } from './exit-code.ts'
import { startHeartbeat } from './heartbeat.ts'
import { sayHello } from './hello.ts'
import type { AgentHome } from './home/agent-home.ts'
import { openBoxedHome } from './home/boxed-home.ts'
import { openDirectHome } from './home/direct-home.ts'
import { createLayout, type Layout, makeDirectories } from './layout.ts'
import type { Log } from './log.ts'
import { logFact } from './logs/fact-lines.ts'
import { type Contact, createContact } from './outbox/contact.ts'
import { type HomeLink, openHomeLink } from './outbox/home-link.ts'
import { startSession } from './start.ts'
import type { Turns } from './turn/turns.ts'

export interface RunnerParts {
  config: Config
  home: RunnerClient
  sandbox: Sandbox
  /** Called while the backend is asked: the Agent SDK is large. */
  loadKit(): Promise<AgentKit>
  log: Log
  /** Takes what Claude Code and its MCP servers write to their error output. */
  onAgentOutput(text: string): void
  version: string
}

/** What all parts of a running session share. */
export interface Session extends Omit<RunnerParts, 'loadKit'> {
  kit: AgentKit
  welcome: RunnerWelcome
  layout: Layout
  /** What is the agent's own: its home. */
  agentHome: AgentHome
  link: HomeLink
  door: Door
  emit(body: RunnerFactBody): void
  /** Ends the runner; the first ending counts. */
  end(ending: Ending): void
  /** Aborts when the runner ends. */
  over: AbortSignal
  /** Set as soon as there are any. */
  live: { turns?: Turns; keeper?: AgentKeeper; saver?: Saver }
}

export interface Runner {
  /** Resolves when the agent takes turns for the first time; never, when it doesn't come so far. */
  readonly started: Promise<void>
  /** Resolves with the exit code when everything is saved, sent and ended. Never rejects. */
  readonly done: Promise<ExitCode>
  end(ending: Ending): void
}

/** For how long a runner that can't reach the backend goes on, in ms. */
const patienceMs = 600_000

/** Runs one generation of a session. */
export const startRunner = (parts: RunnerParts): Runner => {
  const chosen = Promise.withResolvers<Ending>()
  const over = new AbortController()
  const live: Session['live'] = {}
  const contact = createContact(() => performance.now())
  const end = (ending: Ending) => chosen.resolve(ending)
  parts.log.info({ version: parts.version, sandbox: parts.sandbox.kind, pid: process.pid }, 'starting')
  const problem = (error: unknown) => parts.log.warn({ err: describe(error) }, 'problem')
  let session: Session | undefined
  const opened = open(parts, { contact, end, live, over: over.signal, problem })
  opened.catch((error) => {
    if (isBerthError(error) && error.code === 'fenced') return end(endings.fenced)
    parts.log.error({ err: describe(error) }, 'the runner could not start')
    end(contact.awayMs() > 0 ? endings.away : endings.fault)
  })
  const ready = Promise.withResolvers<void>()
  const begin = async (it: Session) => {
    session = it
    const { leaving } = it.welcome
    if (leaving !== undefined) return end(stoppedFor(leaving))
    await startSession(it)
    await it.live.keeper?.ready().then(
      () => ready.resolve(),
      () => undefined,
    )
  }
  opened
    .then(begin, () => undefined)
    .catch((error) => {
      parts.log.error({ err: describe(error) }, 'the session could not start')
      end(endings.fault)
    })
  const done = chosen.promise.then(async (ending) => {
    parts.log.info({ code: ending.code, turn: ending.turn?.code }, 'ending')
    if (session !== undefined) await finish(session, ending, over)
    over.abort()
    return ending.code
  })
  return { started: ready.promise, done, end }
}

interface Opening {
  contact: Contact
  end(ending: Ending): void
  live: Session['live']
  over: AbortSignal
  problem(error: unknown): void
}

/** Hello, hand-over, door and heartbeat: all that comes before the session itself. */
const open = async (parts: RunnerParts, opening: Opening): Promise<Session> => {
  const { config, home, sandbox } = parts
  const { contact, end, live, over, problem } = opening
  const container = sandbox.kind === 'container'
  const doorOpen = openDoor({
    backendUrl: config.backendUrl,
    token: config.token,
    owner: config,
    ...(container ? { shared: join(config.sockets, 'door') } : {}),
    turn: () => live.turns?.current,
    onPaused: (turn) => live.turns?.pause(turn),
    onProblem: problem,
  })
  const hello = sayHello({ home, contact, patienceMs, signal: over, onProblem: problem })
  const loading = parts.loadKit()
  loading.catch(() => undefined)
  const welcome = await hello
  parts.log.info({ resumed: welcome.resumed, n: welcome.n, cursor: welcome.cursor }, 'hello')
  const door = await doorOpen
  const renames = sandbox.kind !== 'none'
  const { sessionDirectory } = config
  const layout = createLayout({ sessionDirectory, renames, doorSocket: door.socket, container })
  const { newHome } = await makeDirectories(layout, sessionDirectory)
  // In a pod the home is there, and always new.
  if (newHome || container) await writeGitConfig(layout, welcome)
  const agentHome = container ? openBoxedHome({ sandbox, layout }) : openDirectHome(layout.outside.home)
  startHeartbeatUntil(over, {
    home,
    contact,
    usage: () => live.keeper?.current?.usage(),
    onFenced: () => end(endings.fenced),
    onAway: (ms) => ms > patienceMs && end(endings.away),
  })
  const link = await openHomeLink({
    home,
    directory: layout.outside.outbox,
    welcome,
    contact,
    signal: over,
    now: () => new Date(),
    onProblem: problem,
    onFatal: (error) => {
      problem(error)
      end(isBerthError(error) && error.code === 'fenced' ? endings.fenced : endings.fault)
    },
  })
  const emit: Session['emit'] = (body) => {
    logFact(parts.log, body)
    link.emitter.emit(body)
  }
  emit({ type: 'runner.started', data: { version: parts.version, sandbox: sandbox.kind } })
  return { ...parts, kit: await loading, welcome, layout, agentHome, link, door, emit, end, over, live }
}

const startHeartbeatUntil = (over: AbortSignal, options: Parameters<typeof startHeartbeat>[0]): void => {
  over.addEventListener('abort', startHeartbeat(options))
}

/** Only while the home is new: later it is the agent's, and a link there could lead anywhere. */
const writeGitConfig = async ({ outside }: Layout, { owner }: RunnerWelcome): Promise<void> => {
  const quote = (text: string) => `"${text.replace(/[\\"]/g, '\\$&').replace(/[\r\n\t]/g, ' ')}"`
  const text = [
    `[user]\n\tname = ${quote(owner.name ?? owner.id)}\n\temail = ${quote(emailOf(owner))}`,
    '[safe]\n\tdirectory = *',
    '[init]\n\tdefaultBranch = main\n',
  ].join('\n')
  // Made anew, or left as it is: whoever was here before has put it there.
  await writeFile(join(outside.home, '.gitconfig'), text, { mode: 0o660, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    },
  )
}

/**
 * Ends the turn (or leaves it to the next runner), ends the agent, politely when there is time, so that its transcript is
 * whole, and sends the rest; or, when another runner took over, ends the agent and nothing else.
 */
const finish = async (session: Session, ending: Ending, over: AbortController): Promise<void> => {
  const { live, link, door, log } = session
  const { turnMs, closeMs, saveMs, flushMs } = ending.limits
  if (ending.turn !== undefined) {
    const stopped = live.turns?.stop({ result: 'interrupted', ...ending.turn })
    if (!(await within(stopped, turnMs))) log.warn({}, 'the turn did not end in time')
  }
  const closed = closeMs > 0 ? live.keeper?.close() : undefined
  if (closeMs === 0 || !(await within(closed, closeMs))) live.keeper?.kill()
  if (ending.code === exitCode.fenced) return door.close()
  if (ending.save !== undefined && !(await within(saveLast(session, ending.save), saveMs)))
    log.warn({}, 'the last checkpoint was not ready in time')
  if (flushMs > 0 && !(await link.flush(flushMs))) log.warn({}, 'facts are left for the next runner')
  over.abort()
  await within(link.close(), 500)
  await door.close()
}

/** With what the agent wrote while it ended. */
const saveLast = async ({ live }: Session, reason: CheckpointReason): Promise<void> => {
  await live.saver?.now(reason)
  await live.saver?.settled()
}

const within = async (task: Promise<unknown> | undefined, ms: number): Promise<boolean> => {
  if (task === undefined) return true
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const result = await Promise.race([
    task.then(
      () => true,
      () => true,
    ),
    late,
  ])
  clearTimeout(timer)
  return result
}

/** An error for the log: no headers, bodies or tokens that an error may carry along. */
export const describe = (error: unknown): { name: string; message: string } =>
  error instanceof Error
    ? { name: error.name, message: error.message.slice(0, 1000) }
    : { name: 'unknown', message: String(error).slice(0, 1000) }

import { setTimeout as sleep } from 'node:timers/promises'
import { keepAgent } from './agent/keeper.ts'
import type { AgentExit } from './agent/live-agent.ts'
import { createRebuild, type Rebuild } from './agent/rebuild.ts'
import { reportResources } from './agent/resources.ts'
import { agentMounts, insideExecutable, spawnClaude } from './agent/sandboxed-claude.ts'
import { workingDirectory } from './agent/working-directory.ts'
import { openSaver } from './checkpoint/open-saver.ts'
import { endings, stoppedFor } from './ending.ts'
import { CloneError } from './git/explain.ts'
import { followInbox, type Reactions } from './inbox.ts'
import { hiddenPaths, SandboxUnfit, testIsolation } from './isolation.ts'
import { followMcpLogs } from './logs/mcp-logs.ts'
import { fileHandlers, sweepParts } from './operations/file-handlers.ts'
import { gitHandlers } from './operations/git-handlers.ts'
import type { OperationHandlers } from './operations/handlers.ts'
import { createOperations, type Operations } from './operations/operations.ts'
import { RestoreError } from './restore/restore-error.ts'
import { restoreSession } from './restore/restore-session.ts'
import { createRestores, type Restores } from './restore/restores.ts'
import type { Session } from './runner.ts'
import { egressRelay } from './setup/egress-relay-script.ts'
import { openSetup } from './setup/open-setup.ts'
import type { SessionSetup } from './setup/session-setup.ts'
import { createPrompts, type Prompts } from './turn/prompt.ts'
import { createTurns, type Turns } from './turn/turns.ts'
import { makeArtifacts } from './workspace/artifacts.ts'
import { openRepositories, type SessionRepositories } from './workspace/session-repositories.ts'
import { workspaceLimits } from './workspace/shadow.ts'
import { createWorkspace, type Workspace } from './workspace/workspace.ts'

/** How long the first prompt is waited for before the first snapshot is made ready, in ms. */
const firstPromptMs = 2000

type FailReason = 'sandbox' | 'clone' | 'storage' | 'agent' | 'out-of-memory'

/**
 * The start of a session, as parallel as it can be: the sandbox is tested while the repositories are cloned, and the
 * agent starts as soon as its files are there. What can't succeed is told as `start.failed`, and the runner ends.
 */
export const startSession = async (session: Session): Promise<void> => {
  const isolation = testIsolation(session.sandbox, selfTestContext(session), session.emit)
  const agent = prepare(session).then(async (place) => {
    const directory = await workingDirectory(session.layout, place.directory)
    if (!session.over.aborted) startAgent(session, place, directory)
  })
  const [tested, started] = await Promise.allSettled([isolation, agent])
  // A broken sandbox breaks the clone too: it is the one to tell.
  for (const result of [tested, started])
    if (result.status === 'rejected') return startFailed(session, result.reason)
}

const startFailed = (session: Session, error: unknown, reason?: FailReason): void => {
  const message = error instanceof Error ? error.message : String(error)
  const known = reasonOf(error) ?? reason
  session.log.error({ reason: known ?? 'unknown', message: message.slice(0, 1000) }, 'start failed')
  if (known === undefined && session.over.aborted) return
  session.emit({ type: 'start.failed', data: { reason: known ?? 'agent', message: message.slice(0, 4000) } })
  session.end(endings.startFailed)
}

const reasonOf = (error: unknown): FailReason | undefined => {
  if (error instanceof SandboxUnfit) return 'sandbox'
  if (error instanceof RestoreError) return 'storage'
  return error instanceof CloneError ? 'clone' : undefined
}

/** What a pod's containers may have that the agent's must not. */
const podSecrets = ['/var/run/secrets/kubernetes.io', '/run/berth/workspace']

const selfTestContext = ({ config, layout, door, kit }: Session) => {
  const mounts = agentMounts({ layout, executable: kit.executable })
  const visible = [...mounts.map(({ path, target }) => target ?? path), layout.inside.temporary]
  const secrets = [config.sessionDirectory, config.mirrorDirectory, config.home]
  const others = layout.container ? [layout.inside.clones, layout.inside.shadow, ...podSecrets] : []
  const hidden = hiddenPaths([...secrets, ...others], visible)
  return {
    cwd: layout.inside.workspace,
    env: kit.environment(layout.inside),
    mounts,
    door: { socket: door.socket, target: layout.inside.door },
    limits: config.limits,
    hidden,
  }
}

/** A disk that has nothing of the session gets everything from its checkpoint. */
const restoreHere = ({
  welcome,
  layout,
  agentHome,
  sandbox,
  home,
  over,
  emit,
  log,
}: Session): Promise<void> => {
  const onProblem = (error: unknown) => log.warn({ err: String(error).slice(0, 500) }, 'restore')
  const source = { home, signal: over, onProblem }
  return restoreSession({ welcome, layout, agentHome, sandbox, source, emit, now: () => performance.now() })
}

interface Place extends SessionRepositories {
  workspace: Workspace
  restores: Restores
}

const prepare = async (session: Session): Promise<Place> => {
  const { welcome, layout, sandbox, link } = session
  await sweepParts(layout)
  await restoreHere(session)
  const repositories = await openRepositories(session)
  await makeArtifacts(layout)
  const { emitter, spool } = link
  const workspace = createWorkspace({
    memory: repositories.memory,
    session: welcome.session,
    layout,
    sandbox,
    emitter,
    saveBlob: spool.put,
    limits: workspaceLimits(welcome.settings),
  })
  const restores = createRestores({
    ...{ session, workspace, emit: session.emit },
    saver: () => session.live.saver,
    now: () => performance.now(),
  })
  // Also one that a kill cut short.
  if (welcome.restore !== undefined) await restores.run(welcome.restore)
  return { ...repositories, workspace, restores }
}

const startAgent = (session: Session, place: Place, directory: string): void => {
  const { welcome, layout, emit, live, home, agentHome } = session
  const { outside, inside } = layout
  const prompts = createPrompts({
    home,
    attachments: { outside: outside.attachments, inside: inside.attachments },
  })
  const setup = openSetup(session, directory)
  const rebuild = createRebuild({ home, emit, signal: session.over })
  const keeper = keep(session, { rebuild, setup, directory })
  const saver = openSaver(session, place.workspace)
  const turns = createTurns({
    keeper,
    refresh: async (signal) => {
      await place.restores.settled()
      await place.beforeTurn(signal)
      await setup.refresh(keeper)
    },
    prompt: rebuild.withSummary(place.restores.withNote(place.withNews(prompts.content))),
    transcriptHas: agentHome.has,
    continuation: session.kit.continuation,
    save: async (turn) => {
      await saver.afterTurn(turn)
      await place.afterTurn()
      await place.restores.markTold()
    },
    emit,
    turnMinutes: () => setup.settings.turnMinutes,
    now: () => performance.now(),
  })
  live.keeper = keeper
  live.turns = turns
  const operations = createOperations({
    handlers: { ...operationHandlers(session), ...gitHandlers({ ...session, memory: place.memory }) },
    emit,
    over: session.over,
    onProblem: (error) => session.log.warn({ err: String(error).slice(0, 500) }, 'operation'),
  })
  place.goLive(place.workspace.exclusively)
  live.saver = saver
  session.over.addEventListener('abort', saver.close)
  // While Claude Code starts, this process has time. A snapshot takes more: it is made while the model thinks.
  void keeper.launched.then(session.door.warm)
  void keeper
    .ready()
    .then(() => Promise.race([session.door.used, sleep(firstPromptMs, undefined, { ref: false })]))
    .then(saver.warm, () => undefined)
  timeAgentStart(session)
  tellMcpLogs(session)
  const stopReporting = reportResources({
    usage: () => keeper.current?.usage(),
    emit,
    now: () => performance.now(),
  })
  session.over.addEventListener('abort', stopReporting)
  void followInbox({
    home,
    after: welcome.cursor,
    generation: welcome.generation,
    reactions: {
      ...reactions(session, turns, { prompts, operations, setup }),
      ...place.reactions,
      restoreRequested: (checkpoint) => void place.restores.run(checkpoint),
    },
    signal: session.over,
    onFenced: () => session.end(endings.fenced),
    onProblem: (error) => session.log.warn({ err: String(error).slice(0, 500) }, 'inbox'),
  })
}

/** What this runner can do with a workspace when it is asked to. */
const operationHandlers = (session: Session): OperationHandlers => ({
  ...fileHandlers(session),
})

/** MCP servers write to an error output of their own, which Claude Code keeps in files. */
const tellMcpLogs = ({ agentHome, over, log, onAgentOutput }: Session): void => {
  const look = async () => {
    for (const line of await agentHome.mcpLines()) onAgentOutput(`${line}\n`)
  }
  followMcpLogs({ look }, over, (error) => log.warn({ err: String(error).slice(0, 500) }, 'MCP logs'))
}

const timeAgentStart = ({ emit, live }: Session): void => {
  const began = performance.now()
  emit({ type: 'start.step', data: { step: 'agent', state: 'started' } })
  live.keeper?.ready().then(
    () => {
      const ms = Math.round(performance.now() - began)
      emit({ type: 'start.step', data: { step: 'agent', state: 'done', ms } })
    },
    () => undefined,
  )
}

interface Keeping {
  rebuild: Rebuild
  setup: SessionSetup
  directory: string
}

const keep = (session: Session, { rebuild, setup, directory }: Keeping) => {
  const { config, kit, layout, sandbox, door, link, emit, welcome, live } = session
  const { executable } = kit
  const { room } = link.emitter
  const place = {
    sandbox,
    layout,
    doorSocket: door.socket,
    executable,
    limits: config.limits,
    startedBy: () => (setup.settings.egress.length > 0 ? egressRelay(layout) : []),
    room,
    onStderr: session.onAgentOutput,
    warn: (message: string) => emit({ type: 'runner.notice', data: { level: 'warning', message } }),
  }
  const launch = kit.launcher({
    workspace: directory,
    executable: insideExecutable(place),
    inside: layout.inside,
    plan: setup.plan,
    emit,
    spawn: spawnClaude(place),
    onStderr: session.onAgentOutput,
  })
  return keepAgent({
    launch,
    conversation: welcome.conversation,
    arrange: setup.arrange,
    canResume: session.agentHome.mend,
    onLost: rebuild.lost,
    onTurnResult: (result) => live.turns?.onTurnResult(result),
    onExit: (exit) => {
      emit({ type: 'agent.exited', data: exit })
      live.turns?.onAgentExit(exit.message)
    },
    onUnusable: (exit) => agentUnusable(session, exit),
  })
}

const agentUnusable = (session: Session, exit: AgentExit): void => {
  session.emit({ type: 'agent.exited', data: exit })
  session.live.turns?.onAgentExit(exit.message)
  const message = `Claude Code ended again and again before it could start. ${exit.message}`
  startFailed(session, new Error(message), exit.reason === 'out-of-memory' ? 'out-of-memory' : 'agent')
}

const interrupted = {
  result: 'interrupted',
  code: 'interrupted',
  message: 'The turn was interrupted.',
} as const

const reactions = (
  { end, live }: Session,
  turns: Turns,
  { prompts, operations, setup }: { prompts: Prompts; operations: Operations; setup: SessionSetup },
): Omit<Reactions, keyof Place['reactions'] | 'restoreRequested'> => ({
  promptQueued: prompts.seen,
  // With a turn under way it waits for the next one, which asks by itself.
  settingsChanged: () => {
    if (live.keeper !== undefined) void setup.refresh(live.keeper, () => turns.current === undefined)
  },
  turnStarted: turns.start,
  interrupt: (turn) => turns.end(turn, interrupted),
  paused: turns.pause,
  decided: (request, decision) => live.keeper?.current?.decide(request, decision),
  answered: (request, answers) => live.keeper?.current?.answer(request, answers),
  stop: (reason) => end(stoppedFor(reason)),
  operationRequested: ({ operation, request }) => operations.request(operation, request),
  operationCancelled: operations.cancel,
  deleted: () => end(endings.deleted),
})

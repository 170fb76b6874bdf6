import { randomBytes } from 'node:crypto'
import {
  type Agent,
  AgentError,
  type AgentOptions,
  agentEnvironment,
  claudeExecutable,
  continuationText,
  createAgent,
  setupFiles,
} from '@berth/agent'
import { type IdKind, makeId } from '@berth/contract'
import type { SandboxedProcess } from '@berth/sandbox'
import { gitEnvironment } from './git-environment.ts'
import type { AgentKit, LauncherOptions } from './kit.ts'
import type { AgentExit, AgentLaunch, LiveAgent } from './live-agent.ts'
import { agentExitOf, agentPath } from './sandboxed-claude.ts'

const newId = (kind: IdKind) => () => makeId(kind, Date.now(), randomBytes(10))
const ids = { block: newId('block'), request: newId('request') }

/** The kit for the real Claude Code, the one of npm when no path is given. Throws when that isn't installed. */
export const createClaudeKit = (executable = claudeExecutable()): AgentKit => ({
  executable,
  environment,
  setupFiles,
  continuation: (reason, paused) =>
    continuationText({ reason: reason === '' ? 'The runner around it was lost.' : reason, paused }),
  launcher: (options) => (start) => launch(options, start),
})

// Its own variables come last: nothing that a setting brings counts before them.
const environment: AgentKit['environment'] = (inside, more = {}) => ({
  ...more,
  ...agentEnvironment({
    home: inside.home,
    path: agentPath,
    door: { socket: inside.door },
    extra: {
      TMPDIR: inside.temporary,
      SHELL: '/bin/bash',
      USER: 'agent',
      ...gitEnvironment(inside, more),
    },
  }),
})

const launch = (
  options: LauncherOptions,
  { conversation: resumed, onTurnResult }: AgentLaunch,
): LiveAgent => {
  let conversation = resumed
  let running: SandboxedProcess | undefined
  const { emit } = options
  const { variables, ...plan } = options.plan()
  const agentOptions: AgentOptions = {
    ...plan,
    workspace: options.workspace,
    env: environment(options.inside, variables),
    executable: options.executable,
    ...(resumed === undefined ? {} : { conversation: resumed }),
    ids,
    emit(fact) {
      if (fact.type === 'agent.ready') conversation = fact.data.conversation ?? conversation
      emit(fact)
    },
    onTurnResult,
    spawn: options.spawn((process) => {
      running = process
    }),
    onStderr: options.onStderr,
  }
  try {
    const agent = createAgent(agentOptions)
    return alive(agent, { conversation: () => conversation, process: () => running })
  } catch (error) {
    return stillborn(error instanceof Error ? error.message : String(error))
  }
}

interface Inside {
  conversation(): string | undefined
  process(): SandboxedProcess | undefined
}

const alive = (agent: Agent, { conversation, process }: Inside): LiveAgent => ({
  ready: agent.ready,
  lost: agent.ready.then(
    () => false,
    (error) => error instanceof AgentError && error.code === 'conversation-not-found',
  ),
  get conversation() {
    return conversation()
  },
  startTurn: (turn) => agent.startTurn(turn),
  interrupt: () => agent.interrupt(),
  setModel: (model) => agent.setModel(model),
  decide: (request, decision) => void agent.decide(request, decision),
  answer: (request, answers) => void agent.answer(request, answers),
  close: async () => {
    await agent.close()
    await process()?.exited
  },
  kill: () => process()?.kill('SIGKILL'),
  exited: agent.exited.then(async ({ error }) => {
    const ended = process()
    if (ended === undefined) return crashed(error?.message ?? 'It did not start.')
    // Whatever it left behind must not meet its successor in the same workspace.
    ended.kill('SIGKILL')
    return agentExitOf(await ended.exited, error?.message)
  }),
  usage: () => process()?.usage(),
})

const crashed = (message: string): AgentExit => ({ reason: 'crashed', message: message.slice(0, 4000) })

/** An agent that could not even be tried, e.g. because of a permission rule that can't be read. */
const stillborn = (message: string): LiveAgent => {
  const ready = Promise.reject(new Error(message))
  ready.catch(() => undefined)
  const nothing = () => undefined
  return {
    ready,
    lost: Promise.resolve(false),
    conversation: undefined,
    startTurn: nothing,
    interrupt: async () => undefined,
    setModel: async () => undefined,
    decide: nothing,
    answer: nothing,
    close: async () => undefined,
    kill: nothing,
    exited: Promise.resolve(crashed(message)),
    usage: nothing,
  }
}

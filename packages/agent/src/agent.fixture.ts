import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type EventData, makeId, type RunnerEventType, turnMessageUuid } from '@berth/contract'
import { createScriptedModel, type ScenarioInput, type ScriptedModel } from '@berth/scripted-model'
import type { Agent, AgentExit, AgentOptions } from './agent.ts'
import { createAgent } from './create-agent.ts'
import { agentEnvironment } from './environment.ts'
import type { AgentFact } from './fact.ts'
import type { TurnResult } from './turn-result.ts'

/** A scenario without the parts that tests don't care about. */
export type TestScenario = Omit<ScenarioInput, 'description'>

/** A private workspace, home and scripted model. */
export interface Playground {
  cwd: string
  home: string
  model: ScriptedModel
  env: Record<string, string>
  write(path: string, text: string): Promise<void>
  remove(): Promise<void>
}

export const createPlayground = async (scenarios: TestScenario[]): Promise<Playground> => {
  const root = await mkdtemp(join(tmpdir(), 'agent-'))
  const [cwd, home, temporary] = [join(root, 'work'), join(root, 'home'), join(root, 'tmp')]
  await Promise.all([mkdir(cwd), mkdir(home), mkdir(temporary)])
  const model = createScriptedModel({
    scenarios: scenarios.map((one) => ({ description: 'A test', ...one })),
  })
  const listening = await model.listen()
  return {
    cwd,
    home,
    model,
    env: agentEnvironment({
      home,
      path: process.env.PATH ?? '',
      door: { url: listening.url },
      extra: { TMPDIR: temporary, CLAUDE_CODE_TMPDIR: temporary },
    }),
    async write(path, text) {
      await mkdir(dirname(join(cwd, path)), { recursive: true })
      await writeFile(join(cwd, path), text, { mode: 0o755 })
    },
    async remove() {
      await listening.close()
      await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

export const newId = (kind: 'turn' | 'block' | 'request') => makeId(kind, Date.now(), randomBytes(10))

type DataOf<T extends RunnerEventType> = EventData<T>

/** An agent whose facts and results can be waited for. */
export interface TestAgent {
  agent: Agent
  facts: AgentFact[]
  results: TurnResult[]
  /** Starts a turn and waits for its result. Rejects when Claude Code ends first. */
  turn(text: string): Promise<TurnResult>
  /** Starts a turn. */
  start(text: string): string
  /** The first fact of a kind, among those to come and those not yet taken, that fits. */
  next<T extends AgentFact['type']>(type: T, fits?: (data: DataOf<T>) => boolean): Promise<DataOf<T>>
  /** All facts of a kind so far. */
  all<T extends AgentFact['type']>(type: T): DataOf<T>[]
  result(): Promise<TurnResult>
}

/** Starts the real Claude Code. */
export const startAgent = (place: Playground, options: Partial<AgentOptions> = {}): TestAgent => {
  const facts: AgentFact[] = []
  const results: TurnResult[] = []
  const listeners = new Set<() => void>()
  const wake = () => {
    for (const listener of [...listeners]) listener()
  }
  let exit: AgentExit | undefined
  const until = <T>(probe: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = () => {
        const found = probe()
        if (found === undefined && exit === undefined) return
        listeners.delete(check)
        if (found === undefined) reject(exit?.error ?? new Error('Claude Code ended'))
        else resolve(found)
      }
      listeners.add(check)
      check()
    })
  const agent = createAgent({
    workspace: place.cwd,
    env: place.env,
    permissions: { allow: [], ask: [], deny: [], otherwise: 'allow' },
    ids: { block: () => newId('block'), request: () => newId('request') },
    emit(fact) {
      facts.push(fact)
      wake()
    },
    onTurnResult(result) {
      results.push(result)
      wake()
    },
    ...options,
  })
  void agent.exited.then((ended) => {
    exit = ended
    wake()
  })
  const taken = new Set<AgentFact>()
  let given = 0
  const start = (text: string) => {
    const turn = newId('turn')
    agent.startTurn({ turn, attempt: 1, uuid: turnMessageUuid(turn, 1), content: [{ type: 'text', text }] })
    return turn
  }
  const result = () => {
    const index = given++
    return until(() => results[index])
  }
  return {
    agent,
    facts,
    results,
    start,
    result,
    turn(text) {
      start(text)
      return result()
    },
    next: (type, fits = () => true) =>
      until(() => {
        const found = facts.find(
          (fact) => fact.type === type && !taken.has(fact) && fits(fact.data as DataOf<typeof type>),
        )
        if (found !== undefined) taken.add(found)
        return found?.data as DataOf<typeof type> | undefined
      }),
    all: (type) => facts.flatMap((fact) => (fact.type === type ? [fact.data as DataOf<typeof type>] : [])),
  }
}

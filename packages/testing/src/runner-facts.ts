import type { Fact, OperationResult, RunnerFactBody, SessionState } from '@berth/contract'
import type { CountedIds } from './counted-ids.ts'

/** Numbers and text from which choices are made. */
export interface Roll {
  act: number
  size: number
  pick: number
  text: string
}

type Maker = (facts: RunnerFacts, roll: Roll) => RunnerFactBody | undefined

/** What a runner might see next. Remembers the texts of open blocks, so that deltas fit and completed blocks are whole. */
export class RunnerFacts {
  readonly ids: CountedIds
  readonly #texts = new Map<string, string>()
  readonly #sent: { generation: number; facts: Fact[] } = { generation: 0, facts: [] }
  #state: SessionState | undefined
  #open: string[] = []
  #requests: string[] = []
  #operations: string[] = []
  #turnOver = false

  constructor(ids: CountedIds) {
    this.ids = ids
  }

  /** A batch of the current generation; now and then it repeats facts that are stored already. */
  batch(state: SessionState, roll: Roll, at: string): Fact[] {
    const { generation } = state.summary
    if (this.#sent.generation !== generation) Object.assign(this.#sent, { generation, facts: [] })
    this.#begin(state)
    const fresh = this.#make({ roll, at, from: state.n, count: 1 + (roll.size % 8) })
    const again = roll.pick % 4 === 0 ? this.#sent.facts.filter(({ n }) => n <= state.n).slice(-3) : []
    this.#sent.facts = [...this.#sent.facts, ...fresh].slice(-10)
    return [...again, ...fresh]
  }

  /** What the generation before left on disk. */
  leftovers(state: SessionState, roll: Roll, at: string): Fact[] {
    this.#begin({ ...state, connected: true, ready: true })
    return this.#make({ roll, at, from: state.previous?.n ?? 0, count: 1 + (roll.size % 4) })
  }

  get turn() {
    return this.#turnOver ? undefined : this.#state?.summary.turn
  }

  get started() {
    return this.#state?.connected === true
  }

  get ready() {
    return this.#state?.ready === true
  }

  /** An open block. */
  block(pick: number): string | undefined {
    return this.#open[pick % Math.max(1, this.#open.length)]
  }

  request(pick: number): string | undefined {
    return this.#requests[pick % Math.max(1, this.#requests.length)]
  }

  operation(pick: number): string | undefined {
    return this.#operations[pick % Math.max(1, this.#operations.length)]
  }

  text(block: string): string {
    return this.#texts.get(block) ?? ''
  }

  #begin(state: SessionState) {
    this.#state = state
    this.#open = [...state.openBlocks]
    this.#requests = state.summary.requests.map(({ request }) => request)
    this.#operations = [...state.operations]
    this.#turnOver = false
  }

  #make(batch: { roll: Roll; at: string; from: number; count: number }): Fact[] {
    const { roll, at, from, count } = batch
    const facts: Fact[] = []
    for (let i = 0; i < count; i++) {
      const mixed = { ...roll, act: roll.act + i * 7919, pick: roll.pick + i * 31 }
      const makers = this.#makers()
      const body = makers[mixed.act % makers.length]?.(this, mixed)
      if (body === undefined) continue
      this.#follow(body)
      facts.push({ n: from + facts.length + 1, at, ...body })
    }
    return facts
  }

  #makers(): Maker[] {
    if (!this.started) return [started]
    if (!this.ready) return starting
    return this.turn === undefined ? resting : working
  }

  #follow({ type, data }: RunnerFactBody) {
    switch (type) {
      case 'runner.started':
        this.#state = this.#state && { ...this.#state, connected: true }
        this.#open = []
        break
      case 'agent.ready':
        this.#state = this.#state && { ...this.#state, ready: true }
        // What the backend makes of it is known with the next batch.
        this.#turnOver = true
        break
      case 'turn.ended':
        this.#turnOver = true
        break
      case 'block.started':
        this.#open.push(data.block)
        break
      case 'block.delta':
        this.#texts.set(data.block, this.text(data.block) + data.text)
        break
      case 'block.completed':
      case 'block.aborted':
        this.#open = this.#open.filter((block) => block !== data.block)
        break
      default:
    }
  }
}

const started: Maker = () => ({ type: 'runner.started', data: { version: '0.0.0', sandbox: 'none' } })

const starting: Maker[] = [
  () => ({ type: 'start.step', data: { step: 'clone', state: 'started', item: 'app' } }),
  () => ({
    type: 'isolation.tested',
    data: { sandbox: 'none', sandboxed: false, ok: true, probes: [] },
  }),
  ({ ids }) => ({ type: 'agent.ready', data: { conversation: ids.uuid() } }),
  ({ ids }) => ({ type: 'agent.ready', data: { conversation: ids.uuid() } }),
  (_, { pick }) =>
    pick % 6 === 0
      ? { type: 'start.failed', data: { reason: 'clone', message: 'No such repository.' } }
      : { type: 'workspace.ready', data: { repositories: [] } },
]

const notice: Maker = (_, { text }) => ({ type: 'runner.notice', data: { level: 'info', message: text } })
const status: Maker = (_, { text }) => ({ type: 'agent.status', data: { status: text.slice(0, 200) } })
const raw: Maker = (_, { text }) => ({ type: 'agent.raw', data: { kind: 'other', message: { text } } })
const exited: Maker = () => ({ type: 'agent.exited', data: { reason: 'crashed', message: 'It ended.' } })
const ready: Maker = () => ({ type: 'agent.ready', data: {} })

/** Some are answered twice. */
const answer: Maker = (facts, { pick, text }) => {
  const operation = facts.operation(pick)
  if (operation === undefined) return undefined
  if (pick % 2 === 0)
    return { type: 'operation.failed', data: { operation, error: { code: 'failed', message: text } } }
  const result: OperationResult = { kind: 'list', entries: [], more: false }
  return { type: 'operation.completed', data: { operation, result } }
}

const resting: Maker[] = [notice, status, raw, exited, ready, answer]

const delta: Maker = (facts, { pick, text }) => {
  const block = facts.block(pick)
  if (block === undefined) return undefined
  return { type: 'block.delta', data: { block, offset: facts.text(block).length, text } }
}

const startBlock: Maker = ({ turn, ids }, { pick }) => {
  if (turn === undefined) return undefined
  const place = { turn: turn.turn, block: ids.make('block') }
  if (pick % 3 !== 0)
    return { type: 'block.started', data: { kind: pick % 3 === 1 ? 'text' : 'thinking', ...place } }
  return { type: 'block.started', data: { kind: 'tool_use', ...place, toolUse: ids.uuid(), tool: 'Bash' } }
}

const complete: Maker = (facts, { pick }) => {
  const block = facts.block(pick)
  if (block === undefined) return undefined
  return { type: 'block.completed', data: { block, text: facts.text(block) } }
}

const abort: Maker = (facts, { pick }) => {
  const block = facts.block(pick)
  if (block === undefined) return undefined
  return { type: 'block.aborted', data: { block, reason: 'Interrupted.' } }
}

const askPermission: Maker = ({ turn, ids }, { text }) =>
  turn && {
    type: 'permission.requested',
    data: {
      request: ids.make('request'),
      turn: turn.turn,
      tool: 'Bash',
      input: { command: text },
      detail: text,
      because: 'default',
    },
  }

const askQuestion: Maker = ({ turn, ids }, { text }) =>
  turn && {
    type: 'question.asked',
    data: {
      request: ids.make('request'),
      turn: turn.turn,
      questions: [{ question: text, header: 'Which', multiSelect: false, options: [] }],
    },
  }

const withdrawRequest: Maker = (facts, { pick }) => {
  const request = facts.request(pick)
  if (request === undefined) return undefined
  return { type: 'request.withdrawn', data: { request, reason: 'Interrupted.' } }
}

const endTurn: Maker = ({ turn }, { pick, text }) => {
  if (turn === undefined) return undefined
  const result = turn.interrupting ? 'interrupted' : pick % 5 === 0 ? 'error' : 'success'
  const { turn: id, attempt } = turn
  return { type: 'turn.ended', data: { turn: id, attempt, result, message: text, durationMs: pick } }
}

const working: Maker[] = [
  ...[delta, delta, delta, delta, delta],
  ...[startBlock, startBlock, complete, complete, complete],
  ...[abort, askPermission, askQuestion, withdrawRequest],
  ...[endTurn, endTurn, status, exited, answer],
]

import {
  type Actor,
  type Fact,
  isBerthError,
  makeId,
  type SessionState,
  type Visibility,
} from '@berth/contract'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Command } from '../../session/command.ts'
import type { AppendRequest, Line, Notice, Store } from '../port.ts'

/** A fresh, empty database of the adapter under test. */
export interface StoreHarness {
  /** How any process opens it, again after a close or a crash too. */
  opener: {
    /** URL of the module. */
    module: string
    /** Its function `(options) => Promise<Store>`. */
    name: string
    /** JSON. */
    options: unknown
  }
  /** Removes everything. */
  dispose(): Promise<void>
}

export type MakeStore = () => Promise<StoreHarness>

export const openStore = async ({ module, name, options }: StoreHarness['opener']): Promise<Store> => {
  const loaded: Record<string, (options: unknown) => Promise<Store>> = await import(module)
  const open = loaded[name]
  if (open === undefined) throw new Error(`${module} exports no ${name}`)
  return open(options)
}

export const person: Actor = { kind: 'user', id: 'ada' }
const backend: Actor = { kind: 'backend', id: 'backend' }
const runner: Actor = { kind: 'runner', id: 'runner' }

export const startOfTime = Date.UTC(2030, 0, 1)

/** Ids as the product makes them. */
export const newId = (kind: Parameters<typeof makeId>[0], now = startOfTime): string =>
  makeId(kind, now, crypto.getRandomValues(new Uint8Array(10)))

export interface SessionOptions {
  session?: string
  project?: string
  title?: string
  labels?: Record<string, string>
  owner?: string
  visibility?: Visibility
  now?: number
}

/** An open store with a project for one test, and short words for what tests do with it. */
export class Bench {
  store: Store
  project = ''
  readonly #opener: StoreHarness['opener']
  readonly #watching: (() => void)[] = []

  constructor(store: Store, opener: StoreHarness['opener']) {
    this.store = store
    this.#opener = opener
  }

  async newProject(name: string): Promise<void> {
    this.project = name
    const nothing = { description: '', settings: {} }
    await this.store.createProject({ name, displayName: name.toUpperCase(), ...nothing, now: startOfTime })
  }

  async reopen(): Promise<void> {
    await this.store.close()
    this.store = await openStore(this.#opener)
  }

  append(session: string, command: Command, more: Partial<AppendRequest> = {}) {
    return this.store.append({ session, command, turn: newId('turn'), now: startOfTime, ...more })
  }

  /** Creates a session; its id. */
  async session(options: SessionOptions = {}): Promise<string> {
    const { session = newId('session', options.now), now = startOfTime } = options
    await this.append(session, createCommand(session, { project: this.project, ...options }), { now })
    return session
  }

  /** A session with a runner that is up. */
  async liveSession(options: SessionOptions & { tokenHash?: string } = {}): Promise<string> {
    const session = await this.session(options)
    const { now = startOfTime, tokenHash } = options
    await this.append(session, launch, { now, tokenHash })
    await this.facts(session, 1, [started, ready])
    return session
  }

  /** Appends facts of generation 1 from number `n` on. */
  facts(session: string, n: number, bodies: Omit<Fact, 'n' | 'at'>[]) {
    return this.append(session, factsCommand(n, bodies))
  }

  async events(session: string, after = 0): Promise<Line[]> {
    return this.store.events(session, { after, limit: 100_000, maxBytes: 1e9 })
  }

  /** Collects what those who watch are told, while the test runs. */
  watch(listener: (notice: Notice) => void = () => undefined): Notice[] {
    const notices: Notice[] = []
    const collect = (notice: Notice) => {
      notices.push(notice)
      listener(notice)
    }
    this.#watching.push(this.store.watch(collect))
    return notices
  }

  watchNoMore(): void {
    for (const stop of this.#watching.splice(0)) stop()
  }
}

export const createCommand = (session: string, options: SessionOptions = {}): Command => ({
  kind: 'create',
  actor: { kind: 'user', id: options.owner ?? person.id },
  session,
  project: options.project ?? 'p',
  title: options.title ?? 'Title',
  labels: options.labels ?? {},
  repositories: [],
  settings: {},
  model: 'scripted',
  visibility: options.visibility,
})

export const launch: Command = { kind: 'launch', actor: backend, runtime: 'fake' }
export const stop: Command = { kind: 'stop', actor: person, reason: 'user' }

export const remove = (purgeAt = startOfTime): Command => ({
  kind: 'delete',
  actor: person,
  purgeAt: new Date(purgeAt).toISOString(),
})

export const end = (generation: number, retryAt?: number): Command => ({
  kind: 'end',
  actor: backend,
  generation,
  reason: 'crashed',
  message: 'It crashed.',
  retryAt: retryAt === undefined ? undefined : new Date(retryAt).toISOString(),
})

export const promptCommand = (prompt = newId('prompt')): Command => ({
  kind: 'prompt',
  actor: person,
  prompt,
  content: [{ type: 'text', text: 'Do it' }],
})

export const factsCommand = (n: number, bodies: Omit<Fact, 'n' | 'at'>[]): Command => ({
  kind: 'facts',
  actor: runner,
  generation: 1,
  source: 1,
  facts: bodies.map(
    (body, index) => ({ n: n + index, at: new Date(startOfTime).toISOString(), ...body }) as Fact,
  ),
})

export const started = { type: 'runner.started', data: { version: '1', sandbox: 'none' } } as const
const ready = { type: 'agent.ready', data: {} } as const
export const status = (text: string) => ({ type: 'agent.status', data: { status: text } }) as const
export const notice = (message: string) =>
  ({ type: 'runner.notice', data: { level: 'info', message } }) as const

/** A block's life as facts: start, one delta for each text, and the end if `done`. */
export const blockFacts = (block: string, texts: string[], done: 'completed' | 'aborted' | 'open') => {
  const deltas = texts.map(
    (text, index) =>
      ({
        type: 'block.delta',
        data: { block, offset: texts.slice(0, index).join('').length, text },
      }) as const,
  )
  const start = { type: 'block.started', data: { kind: 'text', turn: newId('turn'), block } } as const
  const completed = { type: 'block.completed', data: { block, text: texts.join('') } } as const
  const aborted = { type: 'block.aborted', data: { block, reason: 'Interrupted.' } } as const
  const last = done === 'open' ? [] : done === 'completed' ? [completed] : [aborted]
  return [start, ...deltas, ...last]
}

/** A fresh store for each test, or one for all, in which each test has a fresh project. */
export const useBench = (makeStore: MakeStore, stores: 'fresh' | 'shared'): (() => Bench) => {
  let bench: Bench
  let harness: StoreHarness
  let projects = 0
  const open = async () => {
    harness = await makeStore()
    bench = new Bench(await openStore(harness.opener), harness.opener)
  }
  const close = async () => {
    await bench.store.close()
    await harness.dispose()
  }
  if (stores === 'shared') beforeAll(open)
  else beforeEach(open)
  beforeEach(() => bench.newProject(`p${++projects}`))
  afterEach(() => bench.watchNoMore())
  if (stores === 'shared') afterAll(close)
  else afterEach(close)
  return () => bench
}

/** The code with which a promise is refused. */
export const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'fulfilled'
  } catch (error) {
    if (isBerthError(error)) return error.code
    throw error
  }
}

export const summaryOf = (json: string | undefined): SessionState['summary'] => {
  if (json === undefined) throw new Error('no summary')
  return JSON.parse(json)
}

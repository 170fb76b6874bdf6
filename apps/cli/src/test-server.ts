import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Actor,
  BerthError,
  type Event,
  foldSession,
  isBerthError,
  makeId,
  type NewEvent,
  type Route,
  routes,
  type SessionState,
  type SessionSummary,
  toProblem,
} from '@berth/contract'

/** One session of the fake: its log, and the readers that follow it. */
interface FakeSession {
  log: Event[]
  state: SessionState
  readers: Set<ServerResponse>
}

export interface FakeBackend {
  url: string
  /** Requests as `METHOD /path`, in order. */
  requests: string[]
  /** What the last request of a route said. */
  said: Partial<Record<keyof typeof routes, { body: unknown; query: unknown }>>
  sessions: Map<string, FakeSession>
  append(session: string, event: NewEvent, actor?: Actor): Event
  summary(session: string): SessionSummary
  /** What happens once a prompt is queued: the agent of the fake. */
  onPrompt: (session: string, prompt: string, seq: number) => void
  /** Told of every event that is appended. */
  onAppend: (session: string, event: Event) => void
  /** Answers of routes that need no session, by name. */
  answers: Partial<Record<keyof typeof routes, unknown>>
  close(): Promise<void>
}

interface Call {
  params: Record<string, string>
  query: Record<string, unknown>
  body: Record<string, unknown>
  request: IncomingMessage
  response: ServerResponse
}

type Handler = (call: Call) => unknown
const streaming = Symbol('streaming')
export const person: Actor = { kind: 'user', id: 'ann', name: 'Ann' }
const service: Actor = { kind: 'backend', id: 'backend' }

let made = 0
/** A new id, in order. */
export const nextId = (kind: Parameters<typeof makeId>[0]): string =>
  makeId(kind, 1_750_000_000_000 + ++made, new Uint8Array(10).fill(made * 7))

/** A backend in memory that speaks the contract's rows: input checked by their schemas, summaries by the fold. */
export const startFakeBackend = async (port = 0): Promise<FakeBackend> => {
  const sessions = new Map<string, FakeSession>()
  const fake: FakeBackend = {
    url: '',
    requests: [],
    said: {},
    sessions,
    answers: {},
    onPrompt: () => undefined,
    onAppend: () => undefined,
    summary: (session) => find(sessions, session).state.summary,
    append: (id, event, actor = service) => {
      const found = find(sessions, id)
      const full = {
        seq: found.log.length + 1,
        at: new Date().toISOString(),
        version: 1,
        actor,
        ...event,
      } as Event
      found.log.push(full)
      found.state = foldSession(found.state, full)
      for (const reader of found.readers) send(reader, full)
      setImmediate(() => fake.onAppend(id, full))
      return full
    },
    close: async () => undefined,
  }
  const handlers = handlersOf(fake)
  const server = createServer((request, response) => void answer(fake, handlers, { request, response }))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  fake.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return fake
}

const find = (sessions: Map<string, FakeSession>, id: string): FakeSession => {
  const found = sessions.get(id)
  if (found === undefined) throw new BerthError('session_not_found', `There is no session ${id}.`)
  return found
}

const send = (reader: ServerResponse, event: Event) =>
  reader.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`)

const repositoryHandlers = (
  fake: FakeBackend,
  act: (call: Call, event: NewEvent) => unknown,
): Partial<Record<keyof typeof routes, Handler>> => {
  const name = (call: Call) => String(call.params.name)
  return {
    addRepository: (call) =>
      act(call, { type: 'repository.added', data: { repository: call.body as never } }),
    removeRepository: (call) => {
      if (name(call) === 'dirty' && call.query.force !== 'true')
        throw new BerthError('repository_has_work', 'dirty has work that would be lost.')
      return act(call, { type: 'repository.removed', data: { name: name(call) } })
    },
    retryRepository: (call) => act(call, { type: 'repository.retried', data: { name: name(call) } }),
    listRepositories: (call) => ({ items: fake.summary(String(call.params.session)).repositories }),
  }
}

const handlersOf = (fake: FakeBackend): Partial<Record<keyof typeof routes, Handler>> => {
  const one = (call: Call) => String(call.params.session)
  const act = (call: Call, event: NewEvent) => {
    find(fake.sessions, one(call))
    fake.append(one(call), event, person)
    return fake.summary(one(call))
  }
  const queue = (session: string, content: unknown) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    const prompt = nextId('prompt')
    const { seq } = fake.append(
      session,
      { type: 'prompt.queued', data: { prompt, content: [{ type: 'text', text }] } },
      person,
    )
    setImmediate(() => fake.onPrompt(session, prompt, seq))
    return { prompt, seq }
  }
  return {
    ...repositoryHandlers(fake, act),
    readyz: () => 'ok',
    livez: () => 'ok',
    getSystem: () => ({ version: '0.1.0', runtime: 'local', model: { source: 'scripted' } }),
    createLoginLink: () => ({ path: '/login?ticket=abc', expiresAt: '2030-01-01T00:00:00.000Z' }),
    listSessions: ({ query }) => {
      const deleted = query.deleted === 'true'
      const all = [...fake.sessions.keys()]
        .map(fake.summary)
        .filter((item) => (item.deletedAt !== undefined) === deleted)
      const wanted = query.phase as string[] | undefined
      return {
        items: all.reverse().filter((item) => wanted?.includes(item.status.phase) !== false),
        revision: 1,
      }
    },
    createSession: ({ body }) => {
      const session = nextId('session')
      const { title = String(body.prompt ?? 'New session'), labels, repositories, settings, prompt } = body
      const data = { session, project: 'default', title, labels, repositories, settings, model: 'scripted' }
      const first = {
        seq: 1,
        at: new Date().toISOString(),
        version: 1,
        actor: person,
        type: 'session.created',
        data,
      } as Event
      fake.sessions.set(session, { log: [first], state: foldSession(undefined, first), readers: new Set() })
      if (prompt !== undefined) queue(session, prompt)
      return fake.summary(session)
    },
    getSession: (call) => fake.summary(one(call)),
    createPrompt: (call) => {
      find(fake.sessions, one(call))
      return { ...queue(one(call), call.body.content), position: 0, session: fake.summary(one(call)) }
    },
    interruptSession: (call) => {
      const { turn } = fake.summary(one(call))
      if (turn === undefined) throw new BerthError('no_turn', 'No turn is running in this session.')
      return act(call, { type: 'turn.interrupt_requested', data: { turn: turn.turn } })
    },
    decidePermission: (call) =>
      act(call, {
        type: 'permission.decided',
        data: { request: call.params.request, decision: call.body },
      } as NewEvent),
    answerQuestion: (call) =>
      act(call, {
        type: 'question.answered',
        data: { request: call.params.request, answers: call.body.answers },
      } as NewEvent),
    stopSession: (call) => act(call, { type: 'session.stop_requested', data: { reason: 'user' } }),
    resumeSession: (call) => act(call, { type: 'session.resume_requested', data: {} }),
    deleteSession: (call) =>
      act(call, { type: 'session.deleted', data: { purgeAt: '2030-01-01T00:00:00.000Z' } }),
    restoreSession: (call) => act(call, { type: 'session.restored', data: {} }),
    listEvents: (call) => {
      const { log, readers } = find(fake.sessions, one(call))
      const after = Number(call.request.headers['last-event-id'] ?? call.query.after ?? 0)
      if (!String(call.request.headers.accept).includes('text/event-stream')) {
        const items = log.filter((item) => item.seq > after).slice(0, Number(call.query.limit))
        const cursor = items.at(-1)?.seq ?? after
        return { items, cursor, more: cursor < log.length }
      }
      call.response.writeHead(200, { 'content-type': 'text/event-stream' })
      call.response.write(': hb\n\n')
      for (const event of log.filter((item) => item.seq > after)) send(call.response, event)
      readers.add(call.response)
      call.response.on('close', () => readers.delete(call.response))
      return streaming
    },
  }
}

const answer = async (
  fake: FakeBackend,
  handlers: Partial<Record<keyof typeof routes, Handler>>,
  { request, response }: Pick<Call, 'request' | 'response'>,
): Promise<void> => {
  try {
    let body = ''
    for await (const chunk of request) body += chunk
    const url = new URL(request.url ?? '/', fake.url)
    fake.requests.push(`${request.method} ${url.pathname}`)
    const { name, row, params } = match(request.method ?? '', url.pathname)
    const query = (row.query?.parse(queryOf(url)) ?? {}) as Call['query']
    const checked = row.body?.safeParse(JSON.parse(body || '{}'))
    if (checked?.success === false)
      throw new BerthError(
        'invalid_input',
        'The request is not valid.',
        checked.error.issues.map((issue) => ({
          field: `body.${issue.path.join('.')}`,
          message: issue.message,
        })),
      )
    const call: Call = { params, query, body: (checked?.data ?? {}) as Call['body'], request, response }
    fake.said[name] = { body: JSON.parse(body || '{}'), query: queryOf(url) }
    const result = name in fake.answers ? fake.answers[name] : handlers[name]?.(call)
    if (result === streaming) return
    if (isBerthError(result)) throw result
    const isText = row.response.kind === 'text' || row.response.kind === 'bytes'
    response.writeHead(row.response.status, { 'content-type': isText ? 'text/plain' : 'application/json' })
    response.end(result === undefined ? undefined : isText ? String(result) : JSON.stringify(result))
  } catch (error) {
    const problem = toProblem(
      isBerthError(error) ? error : new BerthError('internal', String(error)),
      'req-42',
    )
    response
      .writeHead(problem.status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify(problem))
  }
}

const queryOf = (url: URL) =>
  Object.fromEntries(
    [...new Set(url.searchParams.keys())].map((name) => {
      const all = url.searchParams.getAll(name)
      return [name, all.length > 1 ? all : all[0]]
    }),
  )

const match = (method: string, path: string) => {
  for (const [name, row] of Object.entries(routes) as [keyof typeof routes, Route][]) {
    const pattern = new RegExp(`^${row.path.replace(/:([A-Za-z]+)/g, '(?<$1>[^/]+)')}$`)
    const found = row.method === method ? pattern.exec(path) : null
    if (found !== null) return { name, row, params: { ...found.groups } as Record<string, string> }
  }
  throw new BerthError('route_not_found', `There is nothing at ${method} ${path}.`)
}

/** Appends a whole turn as an agent would: text in pieces, a tool, a result. */
export const playTurn = (
  fake: FakeBackend,
  { session, prompt, seq }: { session: string; prompt: string; seq: number },
  { result = 'success', text = ['Hello ', 'wörld'] }: { result?: 'success' | 'error'; text?: string[] } = {},
): string => {
  const turn = nextId('turn')
  const block = nextId('block')
  const tool = nextId('block')
  fake.append(session, { type: 'turn.started', data: { turn, prompt, promptSeq: seq, attempt: 1 } })
  fake.append(session, { type: 'block.started', data: { kind: 'text', turn, block } })
  text.forEach((piece, i) => {
    const offset = text.slice(0, i).join('').length
    fake.append(session, { type: 'block.delta', data: { block, offset, text: piece } })
  })
  fake.append(session, { type: 'block.completed', data: { block, text: text.join('') } })
  fake.append(session, {
    type: 'block.started',
    data: { kind: 'tool_use', turn, block: tool, toolUse: tool, tool: 'Bash' },
  })
  fake.append(session, { type: 'block.completed', data: { block: tool, text: '{"command":"npm test"}' } })
  fake.append(session, {
    type: 'tool.result',
    data: { turn, toolUse: tool, isError: false, text: 'ok 1\nok 2' },
  })
  fake.append(session, {
    type: 'turn.ended',
    data: { turn, attempt: 1, result, message: 'The end', durationMs: 1234 },
  })
  return turn
}

import { createHash } from 'node:crypto'
import {
  isBerthError,
  type OperationRequest,
  type OperationResult,
  type RunnerFactBody,
} from '@berth/contract'
import type { RunnerSpec } from '@berth/runtime'
import { describe, expect, it } from 'vitest'
import { SessionService } from '../session/service.ts'
import { createTestBackend, eventually, ready, type TestBackend, withBackend } from '../test-backend.ts'
import { Operations } from './operations.ts'

const actor = { kind: 'user', id: 'ada' } as const
const project = 'default'
const request: OperationRequest = { kind: 'list', path: 'src' }
const result: OperationResult = { kind: 'list', entries: [], more: false }

/** Operations as a backend has them, over the store of a running one: another replica would see no more. */
const operationsOf = ({ parts: { store, blobs } }: TestBackend, timeoutMs?: number) => {
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
  const service = new SessionService({ store, blobs, now: Date.now, random, wake: () => undefined })
  return new Operations({ store, service, timeoutMs })
}

/** The id of the operation that was requested last. */
const requested = (backend: TestBackend, session: string) =>
  eventually('a request', async () => {
    const state = await backend.parts.store.state(session)
    return state?.operations.at(-1)
  })

const outcome = (promise: Promise<unknown>) =>
  promise.catch((error) => (isBerthError(error) ? `${error.code}: ${error.message}` : String(error)))

const completed = (operation: string): RunnerFactBody => ({
  type: 'operation.completed',
  data: { operation, result },
})

describe('an operation', () => {
  it('gives what the runner answers, also among much else and many others', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const operations = operationsOf(backend)
      const first = operations.run({ project, session, actor, request })
      const operation = await requested(backend, session)
      const noise = Array.from(
        { length: 300 },
        (_, i): RunnerFactBody => ({
          type: 'agent.status',
          data: { status: `${i} ${operation}` },
        }),
      )
      await backend.facts(spec, 3, ...noise, completed(operation))
      expect(await first).toEqual(result)
      const many = Array.from({ length: 10 }, () => operations.run({ project, session, actor, request }))
      const open = await eventually('all requests', async () => {
        const state = await backend.parts.store.state(session)
        return state?.operations.length === 10 && state.operations
      })
      await backend.facts(spec, 304, ...open.toReversed().map(completed))
      expect(await Promise.all(many)).toEqual(Array(10).fill(result))
    }))

  it.each([
    ['not-found', 'file_not_found'],
    ['changed', 'version_mismatch'],
    ['refused', 'operation_refused'],
    ['failed', 'operation_failed'],
  ] as const)('is refused with the runner’s words: %s', (code, expected) =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const waiting = outcome(operationsOf(backend).run({ project, session, actor, request }))
      const operation = await requested(backend, session)
      const error = { code, message: 'Because.' }
      await backend.facts(spec, 3, { type: 'operation.failed', data: { operation, error } })
      expect(await waiting).toBe(`${expected}: Because.`)
    }),
  )

  it('is taken back when its time is over or nobody waits any more; a later answer is ignored', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const late = outcome(operationsOf(backend, 200).run({ project, session, actor, request }))
      const operation = await requested(backend, session)
      expect(await late).toMatch(/^operation_timeout/)
      const left = new AbortController()
      const gone = outcome(
        operationsOf(backend).run({ project, session, actor, request, signal: left.signal }),
      )
      await requested(backend, session)
      left.abort()
      expect(await gone).toMatch(/^operation_timeout/)
      await backend.facts(spec, 3, completed(operation))
      expect((await backend.parts.store.state(session))?.operations).toEqual([])
    }))

  it('fails when its runner is lost', () =>
    withBackend(async (backend) => {
      const { session } = await backend.idleSession()
      const waiting = outcome(operationsOf(backend).run({ project, session, actor, request }))
      await requested(backend, session)
      backend.runtime.end(session, 'crashed')
      expect(await waiting).toMatch(/^session_not_live: The runner ended before it had answered/)
    }))

  it('waits for a runner that is on its way, and for no other', () =>
    withBackend(async (backend) => {
      const { id: session } = await backend.session()
      const operations = operationsOf(backend)
      const waiting = operations.run({ project, session, actor, request })
      const spec: RunnerSpec = await backend.spec(session)
      await backend.facts(spec, 1, ...ready)
      await backend.facts(spec, 3, completed(await requested(backend, session)))
      expect(await waiting).toEqual(result)
      await backend.call(`/api/projects/default/sessions/${session}/stop`, { method: 'POST' })
      expect(await outcome(operations.run({ project, session, actor, request }))).toMatch(/^session_not_live/)
      expect(await outcome(operations.run({ project: 'other', session, actor, request }))).toMatch(
        /^session_not_found/,
      )
    }))

  it('ends with its backend, which comes back', async () => {
    const backend = await createTestBackend()
    const { session } = await backend.idleSession()
    const operations = operationsOf(backend)
    const waiting = outcome(operations.run({ project, session, actor, request }))
    await requested(backend, session)
    operations.close()
    expect(await waiting).toMatch(/^unavailable/)
    await backend.dispose()
  })
})

describe('parts that travel', () => {
  const part = Buffer.from('some bytes')
  it('may be stored and read by the runner of an open operation only', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const other = await backend.idleSession()
      const waiting = operationsOf(backend).run({ project, session, actor, request })
      const operation = await requested(backend, session)
      const path = `/runner/transfers/${operation}/${createHash('sha256').update(part).digest('hex')}`
      const put = (token: string) =>
        backend.callRunner(token, path, {
          method: 'PUT',
          body: part,
          headers: { 'content-type': 'application/octet-stream' },
        })
      expect((await put(other.spec.token)).body.code).toBe('blob_not_found')
      expect((await put(spec.token)).status).toBe(204)
      expect((await backend.callRunner(spec.token, path)).body).toBe('some bytes')
      expect((await backend.callRunner(other.spec.token, path)).status).toBe(404)
      await backend.facts(spec, 3, completed(operation))
      await waiting
      expect((await backend.callRunner(spec.token, path)).status).toBe(404)
      expect((await put(spec.token)).status).toBe(404)
    }))
})

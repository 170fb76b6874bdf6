import {
  type ErrorCode,
  errorCatalogue,
  errorsOf,
  problem,
  type Route,
  routes,
  runnerRoutes,
} from '@berth/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { createTestBackend, ownerToken, someId, type TestBackend } from '../test-backend.ts'
import { nearly } from './test-schema-values.ts'

let backend: TestBackend
let session: string
let runnerToken: string

beforeAll(async () => {
  backend = await createTestBackend({ operationMs: 20 })
  const idle = await backend.idleSession({ prompt: 'Hello', labels: { a: 'b' } })
  session = idle.session
  runnerToken = idle.spec.token
})
afterAll(() => backend.dispose())

interface Drawn {
  params: Record<string, unknown>
  query: Record<string, unknown>
  body: unknown
  headers: Record<string, string>
}

const drawnFor = (row: Route): fc.Arbitrary<Drawn> => {
  const shaped = (schema: z.ZodType | undefined) =>
    schema === undefined ? fc.constant({}) : (nearly(schema) as fc.Arbitrary<Record<string, unknown>>)
  const present = { project: fc.constant('default'), session: fc.constant(session) }
  const params = fc.tuple(shaped(row.params), fc.record(present, { requiredKeys: [] }))
  return fc.record({
    params: fc.oneof(
      { weight: 4, arbitrary: params.map(([some, known]) => ({ ...some, ...known })) },
      { weight: 1, arbitrary: shaped(row.params) },
    ),
    query: shaped(row.query),
    body: row.body === undefined ? fc.constant(undefined) : nearly(row.body),
    headers: fc.record(
      {
        'if-match': fc.constantFrom('"1"', '1', 'W/"2"', 'x'),
        'idempotency-key': fc.constantFrom('a', 'b', 'x'.repeat(200)),
        'last-event-id': fc.constantFrom('1', '-1', 'x'),
      },
      { requiredKeys: [] },
    ),
  })
}

const addressOf = (row: Route, { params, query }: Drawn): string => {
  const values = params as Record<string, unknown> | null
  const path = row.path.replace(/:([a-z]+)/g, (_, name: string) => {
    const value = values?.[name] ?? (name === 'project' ? 'default' : someId('session'))
    return encodeURIComponent(String(typeof value === 'object' ? 'object' : value).toWellFormed())
  })
  const search = new URLSearchParams()
  const fields = typeof query === 'object' && query !== null ? query : {}
  for (const [name, value] of Object.entries(fields))
    for (const item of Array.isArray(value) ? value : [value])
      search.append(name, String(typeof item === 'object' ? 'object' : item).toWellFormed())
  return `${path}?${search}`
}

const send = async (row: Route, drawn: Drawn, target: { url: string; token: string }) => {
  const body = drawn.body === undefined ? undefined : JSON.stringify(drawn.body)
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(`${target.url}${addressOf(row, drawn)}`, {
    method: row.method,
    headers: { ...drawn.headers, ...type, authorization: `Bearer ${target.token}` },
    body,
    redirect: 'manual',
  })
  return { status: response.status, text: await response.text() }
}

/** Every answer is the success of the row, or one of its errors. Answers are checked against their schema by the backend. */
const check = (row: Route, { status, text }: { status: number; text: string }) => {
  if (status === row.response.status) return
  const { code, errors } = problem.parse(JSON.parse(text))
  if (code === 'route_not_found') return
  // No runner answers here, so what it is asked to do takes too long.
  const isExpected = (item: ErrorCode) => errorCatalogue[item].status < 500 || item === 'operation_timeout'
  const allowed: readonly ErrorCode[] = errorsOf(row).filter(isExpected)
  expect(allowed).toContain(code)
  expect(status).toBe(errorCatalogue[code].status)
  // Bytes that do not match their name have no field.
  if (code === 'invalid_input' && row !== runnerRoutes.runnerPutBlob)
    expect(errors?.length).toBeGreaterThan(0)
}

const runs = 40

describe('[P201] whatever is sent, the answer is one that the row documents', () => {
  it.each(Object.entries(routes as Record<string, Route>))('%s', async (_, row) => {
    const target = { url: backend.url, token: ownerToken }
    await fc.assert(
      fc.asyncProperty(drawnFor(row), async (drawn) => check(row, await send(row, drawn, target))),
      { numRuns: runs },
    )
  })

  it.each(Object.entries(runnerRoutes as Record<string, Route>))('%s', async (_, row) => {
    const target = { url: backend.runnerUrl, token: runnerToken }
    await fc.assert(
      fc.asyncProperty(drawnFor(row), async (drawn) => check(row, await send(row, drawn, target))),
      { numRuns: runs },
    )
  })

  it('and nothing of it was a fault that only the log knows', () => {
    const faults = backend.log.filter((line) => JSON.parse(line).level >= 50)
    expect(faults).toEqual([])
  })
})

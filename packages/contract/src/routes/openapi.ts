import { z } from 'zod'
import { type ErrorCode, errorCatalogue, problem } from '../errors.ts'
import { errorsOf, type Route, takesIdempotencyKey } from './route.ts'

type Json = Record<string, unknown>

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
  })
  return json
}

const parametersOf = (row: Route): Json[] => {
  const list: Json[] = []
  for (const [place, object] of [
    ['path', row.params],
    ['query', row.query],
  ] as const)
    for (const [name, schema] of Object.entries(object?.shape ?? {})) {
      const optional = place === 'query' && schema.safeParse(undefined).success
      list.push({ name, in: place, required: !optional, schema: schemaOf(schema, 'input') })
    }
  if (takesIdempotencyKey(row))
    list.push(header('Idempotency-Key', 'Makes a repeated request single, for 24 hours', { minLength: 1 }))
  if (row.ifMatch === true)
    list.push({
      ...header('If-Match', 'The version that you change', { pattern: versionForm }),
      required: true,
    })
  if (row.response.kind === 'sse') list.push(header('Last-Event-ID', 'Resumes a stream after this event'))
  return list
}

/** Of a version in `If-Match`. */
const versionForm = '^(W/)?"?[0-9]{1,15}"?$'

const header = (name: string, description: string, form: Json = {}): Json => ({
  name,
  in: 'header',
  description,
  required: false,
  schema: { type: 'string', maxLength: 128, ...form },
})

const contentOf = ({ response }: Route): Json | undefined => {
  const json = response.body === undefined ? undefined : schemaOf(response.body, 'output')
  switch (response.kind ?? 'json') {
    case 'bytes':
      return { '*/*': { schema: { type: 'string', format: 'binary' } } }
    case 'text':
      return { 'text/plain': { schema: { type: 'string' } } }
    case 'sse':
      return { 'application/json': { schema: json }, 'text/event-stream': { schema: { type: 'string' } } }
    case 'csv':
      return { 'application/json': { schema: json }, 'text/csv': { schema: { type: 'string' } } }
    default:
      return json === undefined ? undefined : { 'application/json': { schema: json } }
  }
}

const responsesOf = (row: Route): Json => {
  const responses: Json = { [row.response.status]: { description: 'Success', content: contentOf(row) } }
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of errorsOf(row)) {
    const { status } = errorCatalogue[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b))
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${errorCatalogue[code].title}`).join('\n\n'),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }
  return responses
}

const requestBodyOf = ({ body, takes }: Route): Json | undefined => {
  if (takes === 'bytes')
    return {
      required: true,
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    }
  if (body === undefined) return undefined
  const type = takes === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'
  return { required: true, content: { [type]: { schema: schemaOf(body, 'input') } } }
}

const needsOf = ({ role, owner, keys }: Route): string => {
  const own = owner === true ? `${role}, as the owner of the session, or admin` : role
  return keys === false ? `${own}; not for API keys` : own
}

const operationOf = (name: string, row: Route): Json => ({
  operationId: name,
  tags: [row.tag],
  summary: row.summary,
  description: `Needs: ${needsOf(row)}`,
  security: row.role === 'public' ? [] : [{ bearer: [] }, { cookie: [] }],
  parameters: parametersOf(row),
  requestBody: requestBodyOf(row),
  responses: responsesOf(row),
})

/** The OpenAPI 3.1 document of these routes. */
export const openApiDocument = (rows: Record<string, Route>, version: string): Json => {
  const paths: Record<string, Json> = {}
  for (const [name, row] of Object.entries(rows)) {
    const path = row.path.replace(/:([a-z]+)/g, '{$1}')
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operationOf(name, row) }
  }
  return JSON.parse(
    JSON.stringify({
      openapi: '3.1.0',
      info: {
        title: 'Berth',
        version,
        description: 'Claude Code sessions for a team: projects, sessions, prompts, events, changes.',
      },
      servers: [{ url: '/' }],
      paths,
      components: {
        schemas: { Problem: schemaOf(problem, 'output') },
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'berth_session' },
        },
      },
    }),
  )
}

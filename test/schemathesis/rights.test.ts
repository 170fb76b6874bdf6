import { describe, expect, it } from 'vitest'
import type { Caller } from './callers.ts'
import { type Answered, rowOf, succeeded, surprises, unasked } from './rights.ts'

const viewer: Caller = { name: 'viewer', roles: { default: 'viewer' }, token: 'x' }
const admin: Caller = { name: 'admin', roles: { default: 'admin' }, token: 'x' }
const owner: Caller = { name: 'owner', roles: {}, platformAdmin: true, token: 'x' }
const nobody: Caller = { name: 'nobody', roles: {} }

const sessions = '/api/projects/default/sessions'
const answered = (request: string, status: number, code?: string): Answered => {
  const [method = '', address = ''] = request.split(' ')
  return { method, address, status, code }
}

describe('[P201] what schemathesis was answered', () => {
  it.each<[string, Caller, Answered]>([
    ['a viewer may make a session', viewer, answered(`POST ${sessions}`, 201)],
    ['a viewer is told what is wrong with one', viewer, answered(`POST ${sessions}`, 400, 'invalid_input')],
    ['a viewer may not read one', viewer, answered(`GET ${sessions}?limit=1`, 403, 'forbidden')],
    ['a key may make keys', admin, answered('POST /api/projects/default/keys', 201)],
    ['an admin sees another project', admin, answered('GET /api/projects/other', 200)],
    ['one learns that it is there', admin, answered('GET /api/projects/other', 403, 'forbidden')],
    ['one sees a name that objects inherit', admin, answered('GET /api/projects/constructor', 200)],
    ['a key reads the whole audit', admin, answered('GET /api/audit', 200)],
    ['nobody is asked who it is', nobody, answered('GET /api/me', 400, 'invalid_input')],
    ['the owner is refused', owner, answered('POST /api/projects', 403, 'forbidden')],
    ['something is no row', owner, answered('GET /api/nothing', 200)],
    ['a fault', owner, answered('GET /api/me', 500, 'internal')],
    ['a database that is not there', owner, answered('GET /api/me', 503, 'unavailable')],
    ['a throttle', nobody, answered('GET /api/me', 429, 'too_many_attempts')],
  ])('is a surprise: %s', (_, caller, answer) => {
    expect(surprises([answer, answer], caller)).toHaveLength(1)
  })

  it.each<[string, Caller, Answered]>([
    ['a viewer may read', viewer, answered(`HEAD ${sessions}`, 200)],
    ['a viewer may not write', viewer, answered(`POST ${sessions}`, 403, 'forbidden')],
    ['a viewer may only fork to elsewhere', viewer, answered(`POST ${sessions}/x/fork`, 403, 'forbidden')],
    ['only the owner deletes', admin, answered(`DELETE ${sessions}/x`, 403, 'forbidden')],
    ['others are not there', admin, answered('GET /api/projects/other', 404, 'project_not_found')],
    ['a probe without a credential', admin, answered('GET /api/me', 401, 'unauthenticated')],
    ['nobody is nobody', nobody, answered('GET /api/me', 401, 'unauthenticated')],
    ['anybody sees whether it lives', nobody, answered('GET /livez', 200)],
    ['a runner that is silent', owner, answered(`GET ${sessions}/x/files`, 504, 'operation_timeout')],
    ['headers too large to look who sends them', viewer, answered(`POST ${sessions}`, 413, 'too_large')],
    ['no row', owner, answered('GET /api/nothing', 404, 'route_not_found')],
  ])('is none: %s', (_, caller, answer) => {
    expect(surprises([answer], caller)).toEqual([])
  })

  it('is of a row, whatever its query', () => {
    expect(rowOf(answered(`GET ${sessions}?a=/b`, 200))).toMatchObject({
      name: 'listSessions',
      project: 'default',
    })
    expect(rowOf(answered('GET /api/projects/%zz', 200))).toMatchObject({
      name: 'getProject',
      project: undefined,
    })
    expect(rowOf(answered('TRACE /api/me', 405))).toBeUndefined()
  })

  it('leaves rows out that were never asked, or only without a credential', () => {
    const answers = [answered('GET /api/me', 401, 'unauthenticated'), answered('GET /api/projects', 200)]
    expect(unasked(answers, admin)).toContain('getMe')
    expect(unasked(answers, admin)).not.toContain('listProjects')
    expect(unasked(answers, nobody)).not.toContain('getMe')
    expect(succeeded(answers)).toEqual(['listProjects'])
  })
})

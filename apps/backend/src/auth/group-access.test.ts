import { type Clock, systemClock } from '@berth/runtime'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readStream } from '../http/test-stream.ts'
import { createCipher } from '../secrets/cipher.ts'
import { eventually } from '../test-backend.ts'
import { browserTimes } from './browser/browser-times.ts'
import { Refresher } from './browser/refresher.ts'
import { Issuer } from './oidc/issuer.ts'
import { oidcOf, people, type SignInWorld, signInWorld } from './test-issuer.ts'

let world: SignInWorld
let later = 0
const clock: Clock = { ...systemClock, now: () => Date.now() + later }

beforeAll(async () => {
  world = await signInWorld({ parts: { clock, recheckMs: 50 } })
  await world.backend.call('/api/projects', { body: { name: 'web' } })
})
afterAll(() => world.dispose())
beforeEach(() => void Object.assign(world.issuer.users, people()))

const members = '/api/projects/web/members'
const setMember = (kind: string, id: string, role: string) =>
  world.backend.call(`${members}/${kind}/${encodeURIComponent(id)}`, { method: 'PUT', body: { role } })

/** What a browser may do in the project: its role, and whether a session could be made. */
const rightsOf = async (cookie: string) => {
  const as = { token: null, headers: { cookie } }
  const access = await world.backend.call<{ role?: string; code?: string }>('/api/projects/web/access', as)
  const made = await world.backend.call('/api/projects/web/sessions', { ...as, method: 'POST', body: {} })
  return [access.body.role ?? access.body.code, made.status]
}
const isEditor = ['editor', 201]
const isNobody = ['project_not_found', 404]

/** The issuer is asked again who the signed-in people are. */
const refresh = async () => {
  later += browserTimes.refresh + 1
  const { store, keys } = world.backend.parts
  const settings = oidcOf(world.issuer)
  const issuer = new Issuer({ settings, now: () => clock.now(), warn: () => undefined })
  const log = pino({ level: 'silent' })
  const cipher = createCipher(keys)
  await new Refresher({ store, settings, issuer, cipher, owner: 'owner', clock, log }).refreshDue()
}

const leaveGroup = () => Object.assign(world.issuer.users.ada ?? {}, { groups: ['others'] })

describe('[P206] a group of the issuer that is a member of a project', () => {
  beforeAll(async () => {
    expect((await setMember('group', 'makers', 'editor')).status).toBe(200)
  })

  it('gives its role to who is in it, and to nobody else', async () => {
    expect(await rightsOf(await world.signIn('ada'))).toEqual(isEditor)
    expect(await rightsOf(await world.signIn('bob'))).toEqual(isNobody)
  })

  it('gives it no more to who was taken out, at the next look at the issuer, and their streams end', async () => {
    const cookie = await world.signIn('ada')
    const stream = readStream(`${world.backend.url}/api/projects/web/changes`, { cookie })
    await eventually('the stream', stream.open)
    leaveGroup()
    // Until somebody asks, nobody knows.
    expect(await rightsOf(cookie)).toEqual(isEditor)
    await refresh()
    expect(await rightsOf(cookie)).toEqual(isNobody)
    expect((await world.me(cookie)).body).toMatchObject({ groups: ['others'] })
    await stream.ended
    expect(stream.messages.at(-1)?.data.code).toBe('project_not_found')
  })

  it('nor at the next sign-in, nor with a token that was made afterwards', async () => {
    expect(await rightsOf(await world.signIn('ada'))).toEqual(isEditor)
    leaveGroup()
    expect(await rightsOf(await world.signIn('ada'))).toEqual(isNobody)
    const token = async (groups: string[]) => {
      const claims = { aud: 'berth', email: 'ada@example.com', email_verified: true, groups }
      const answer = await world.backend.call('/api/projects/web/access', {
        token: await world.issuer.mint(claims),
      })
      return answer.status
    }
    expect([await token(['makers']), await token(['others'])]).toEqual([200, 404])
  })

  it('gives it back to who comes back, at the next look', async () => {
    leaveGroup()
    const cookie = await world.signIn('ada')
    expect(await rightsOf(cookie)).toEqual(isNobody)
    Object.assign(world.issuer.users, people())
    await refresh()
    expect(await rightsOf(cookie)).toEqual(isEditor)
  })

  it('gives nothing any more when it is removed, at once', async () => {
    const cookie = await world.signIn('ada')
    await world.backend.call(`${members}/group/makers`, { method: 'DELETE' })
    expect(await rightsOf(cookie)).toEqual(isNobody)
  })
})

describe('[P206] a person', () => {
  it('is the same member however their address was written, by whom ever', async () => {
    const cookie = await world.signIn('bob')
    const set = await setMember('user', 'BOB@Example.com', 'editor')
    expect([set.status, set.body]).toEqual([200, expect.objectContaining({ id: 'bob@example.com' })])
    expect(await rightsOf(cookie)).toEqual(isEditor)
    const gone = await world.backend.call(`${members}/user/${encodeURIComponent('Bob@example.COM')}`, {
      method: 'DELETE',
    })
    expect(gone.status).toBe(204)
    expect(await rightsOf(cookie)).toEqual(isNobody)
    const body = { subject: { kind: 'user', id: 'Bob@Example.com' } }
    const revoked = await world.backend.call('/api/access/revoke', { body })
    expect(revoked.body).toMatchObject({ subject: { id: 'bob@example.com' } })
    expect((await world.me(cookie)).status).toBe(401)
  })
})

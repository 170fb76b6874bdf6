import { type Clock, systemClock } from '@berth/runtime'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCipher } from '../../secrets/cipher.ts'
import { Issuer } from '../oidc/issuer.ts'
import { oidcOf, people, type SignInWorld, signInWorld } from '../test-issuer.ts'
import { browserTimes } from './browser-times.ts'
import { Refresher } from './refresher.ts'

let world: SignInWorld
let later = 0
const clock: Clock = { ...systemClock, now: () => Date.now() + later }
const pass = (ms: number) => {
  later += ms
}

beforeAll(async () => {
  const admins = [{ kind: 'group', id: 'makers' } as const]
  world = await signInWorld({ auth: { rights: { admins, projectCreators: 'admins' } }, parts: { clock } })
})
afterAll(() => world.dispose())

/** The refresher of a backend, which here works when it is told to. */
const refresher = () => {
  const { store, keys } = world.backend.parts
  const settings = oidcOf(world.issuer)
  const issuer = new Issuer({ settings, now: () => clock.now(), warn: () => undefined })
  const log = pino({ level: 'silent' })
  return new Refresher({ store, settings, issuer, cipher: createCipher(keys), owner: 'owner', clock, log })
}

const refreshes = () => world.issuer.requests.filter((line) => line === 'POST /token').length
const isAdmin = async (cookie: string) => (await world.me(cookie)).body.platformAdmin

describe('[P142] what the issuer takes away', () => {
  it('is gone here when it is asked again: a group, then the account', async () => {
    const cookie = await world.signIn('ada')
    expect(await isAdmin(cookie)).toBe(true)
    Object.assign(world.issuer.users.ada ?? {}, { groups: ['others'] })
    pass(browserTimes.refresh + 1)
    await refresher().refreshDue()
    expect(await isAdmin(cookie)).toBe(false)
    delete world.issuer.users.ada
    pass(browserTimes.refresh + 1)
    await refresher().refreshDue()
    expect((await world.me(cookie)).status).toBe(401)
    Object.assign(world.issuer.users, people())
  })

  it('is asked by one of many backends, so that no refresh token is used twice', async () => {
    const cookie = await world.signIn('ada')
    for (let round = 0; round < 3; round++) {
      pass(browserTimes.refresh + 1)
      const before = refreshes()
      await Promise.all(Array.from({ length: 5 }, () => refresher().refreshDue()))
      expect(refreshes()).toBe(before + 1)
    }
    // A token that was used twice would have ended the session at the issuer.
    expect(await isAdmin(cookie)).toBe(true)
  })

  it('does not count while the issuer is away: sessions go on, and it is asked again soon', async () => {
    const cookie = await world.signIn('ada')
    pass(browserTimes.refresh + 1)
    world.issuer.away = true
    await refresher().refreshDue()
    world.issuer.away = false
    expect(await isAdmin(cookie)).toBe(true)
    const before = refreshes()
    pass(browserTimes.retry + 1)
    await refresher().refreshDue()
    expect(refreshes()).toBeGreaterThan(before)
    expect(await isAdmin(cookie)).toBe(true)
  })

  it('ends with the session: idle for half a day, or a week old however much it is used', async () => {
    const idle = await world.signIn('bob')
    pass(browserTimes.idle + 1)
    expect((await world.me(idle)).status).toBe(401)
    const used = await world.signIn('bob')
    for (let at = 0; at < browserTimes.absolute - browserTimes.idle; at += browserTimes.idle / 2) {
      expect((await world.me(used)).status).toBe(200)
      pass(browserTimes.idle / 2)
    }
    pass(browserTimes.idle)
    expect((await world.me(used)).status).toBe(401)
  })
})

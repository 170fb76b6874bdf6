import { describe, expect, it } from 'vitest'
import { Throttle } from './throttle.ts'

const throttle = () => {
  const clock = { at: 1_000_000 }
  const one = new Throttle({ now: () => clock.at, free: 3 })
  const fail = (times: number, address = '192.0.2.1') => {
    for (let i = 0; i < times; i++) one.failed(address)
  }
  const wait = (address = '192.0.2.1', credential?: string): number => {
    try {
      one.check(address, credential)
      return 0
    } catch (error) {
      expect(error).toMatchObject({ code: 'too_many_attempts' })
      return (error as { retryAfter: number }).retryAfter
    }
  }
  return { clock, one, fail, wait }
}

describe('[P146] Throttle', () => {
  it('doubles the time that an address has to wait, up to five minutes', () => {
    const { fail, wait } = throttle()
    fail(3)
    expect(wait()).toBe(0)
    const waits = [4, 5, 6, 7].map(() => {
      fail(1)
      return wait()
    })
    expect(waits).toEqual([1, 2, 4, 8])
    fail(40)
    expect(wait()).toBe(300)
    expect(wait('192.0.2.2')).toBe(0)
  })

  it('lets a credential through that was good lately', () => {
    const { one, fail, wait } = throttle()
    one.succeeded('good')
    fail(5)
    expect([wait('192.0.2.1', 'good'), wait('192.0.2.1', 'new') > 0]).toEqual([0, true])
  })

  it('takes an IPv6 network as one address, and forgets after a quarter of an hour', () => {
    const { clock, fail, wait } = throttle()
    fail(9, '2001:db8::1')
    expect(wait('2001:db8:0:0:ffff::2')).toBeGreaterThan(0)
    expect(wait('2001:db8:0:1::2')).toBe(0)
    clock.at += 15 * 60_000
    expect(wait('2001:db8::1')).toBe(0)
  })

  it('remembers a bounded number of addresses', () => {
    const { fail, wait } = throttle()
    fail(9, '198.51.100.1')
    for (let i = 0; i < 10_000; i++) fail(1, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    expect(wait('198.51.100.1')).toBe(0)
  })
})

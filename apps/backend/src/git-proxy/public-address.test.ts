import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { guardedLookup } from './guarded-agent.ts'
import { isPublicAddress } from './public-address.ts'

describe('an address is public', () => {
  it.each([
    '1.1.1.1',
    '140.82.121.4',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.1.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('as %s', (address) => expect(isPublicAddress(address)).toBe(true))

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:1.1.1.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'localhost',
    '',
  ])('but not as %s', (address) => expect(isPublicAddress(address)).toBe(false))

  it('and no address of a private network is, in either family', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(octet, octet, octet, (a, b, c) => {
        expect(isPublicAddress(`10.${a}.${b}.${c}`)).toBe(false)
        expect(isPublicAddress(`127.${a}.${b}.${c}`)).toBe(false)
        expect(isPublicAddress(`::ffff:127.${a}.${b}.${c}`)).toBe(false)
      }),
    )
  })
})

describe('the lookup for a connection', () => {
  type Resolver = Parameters<typeof guardedLookup>[0]
  const resolver = (addresses: { address: string; family: number }[]) =>
    ((_host: string, _options: object, found: (error: null, list: object) => void) =>
      found(null, addresses)) as unknown as Resolver
  const ask = (addresses: { address: string; family: number }[], all: boolean) =>
    new Promise((resolve) =>
      guardedLookup(resolver(addresses))('example.com', { all }, (error, address, family) =>
        resolve(error?.message ?? { address, family }),
      ),
    )
  const public4 = { address: '1.1.1.1', family: 4 }

  it('gives just what it looked at, in the form that is asked for', async () => {
    expect(await ask([public4], true)).toEqual({ address: [public4], family: undefined })
    expect(await ask([public4], false)).toEqual(public4)
  })

  it.each([[[]], [[{ address: '127.0.0.1', family: 4 }]], [[public4, { address: 'fd00::1', family: 6 }]]])(
    'refuses %j',
    async (addresses) => {
      expect(await ask(addresses, true)).toBe('example.com has an address that is not public')
    },
  )

  it('refuses localhost as this machine resolves it', async () => {
    const result = new Promise((resolve) =>
      guardedLookup()('localhost', { all: true }, (error) => resolve(error?.name)),
    )
    expect(await result).toBe('PrivateAddress')
  })
})

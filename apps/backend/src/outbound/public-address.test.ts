import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPublicAddress, kindOf } from './public-address.ts'

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
    '168.63.129.16',
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

describe('an address is private', () => {
  it.each(['10.0.0.1', '127.0.0.1', '172.20.0.1', '192.168.1.1', '100.64.0.1', '::1', 'fd12::1', 'fc00::1'])(
    'as %s',
    (address) => expect(kindOf(address)).toBe('private'),
  )

  it.each([
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    'fd00:ec2::254',
    'fd20:ce::254',
    'fe80::1',
    '::',
    '0.0.0.0',
    '::ffff:10.0.0.1',
    '::ffff:169.254.169.254',
    '::FFFF:127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    '224.0.0.1',
    'ff02::1',
    'localhost',
  ])('but closed as %s', (address) => expect(kindOf(address)).toBe('closed'))

  it('and says public of just those that are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(kindOf(address) === 'public').toBe(isPublicAddress(address))
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'
import { withServer } from '../test-backend.ts'
import { guardedLookup, type Resolve } from './guarded-connector.ts'
import { createOutbound, privateAddressOf } from './outbound.ts'
import { publicAddress } from './private-hosts.ts'

type Address = { address: string; family: number }

/** A name service with answers of its own, one after the other; the last stays. */
const resolver = (...answers: Address[][]): Resolve =>
  ((_host: string, _options: object, found: (error: null, list: object) => void) =>
    found(null, (answers.length > 1 ? answers.shift() : answers[0]) ?? [])) as unknown as Resolve

const public4 = { address: '1.1.1.1', family: 4 }
const loopback = { address: '127.0.0.1', family: 4 }

describe('the lookup for a connection', () => {
  const place = { host: 'example.com', port: 443 }
  const ask = (addresses: Address[], all: boolean) =>
    new Promise((resolve) =>
      guardedLookup(place, publicAddress, resolver(addresses))(
        'example.com',
        { all },
        (error, address, family) => resolve(error?.message ?? { address, family }),
      ),
    )

  it('gives just what it looked at, in the form that is asked for', async () => {
    expect(await ask([public4], true)).toEqual({ address: [public4], family: undefined })
    expect(await ask([public4], false)).toEqual(public4)
  })

  it.each([[[]], [[loopback]], [[public4, { address: 'fd00::1', family: 6 }]]])(
    'refuses %j',
    async (addresses) => {
      expect(await ask(addresses, true)).toBe('example.com has an address that is not public')
    },
  )
})

const ended = async (url: string, options: Parameters<typeof createOutbound>[0] = {}) => {
  const outbound = createOutbound(options)
  try {
    const { status, headers, body } = await outbound.ask(new URL(url))
    return { status, location: headers.location, text: body.toString() }
  } catch (error) {
    return privateAddressOf(error)?.name ?? String(error)
  } finally {
    await outbound.close()
  }
}

describe('a request of the backend to an address that a project names', () => {
  const hidden = (_request: unknown, response: import('node:http').ServerResponse) => response.end('inside')

  it('[P195][S17] does not reach what is not public, however the address is written', () =>
    withServer(hidden, async (url) => {
      const { port } = new URL(url)
      const hosts = ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', '[::1]', '0']
      for (const host of hosts) expect(await ended(`http://${host}:${port}/`), host).toBe('PrivateAddress')
      expect(await ended('http://169.254.169.254/latest/', { privateHosts: ['*'] })).toBe('PrivateAddress')
      expect(await ended(`http://[::ffff:7f00:1]:${port}/`, { privateHosts: ['*'] })).toBe('PrivateAddress')
      expect(await ended('file:///etc/passwd')).toContain('no way to ask')
    }))

  it('[P195][S17] goes to the address that was looked at, whatever its name says next', () =>
    withServer(hidden, async (url) => {
      const named = url.replace('127.0.0.1', 'rebound.example')
      expect(await ended(named, { resolve: resolver([loopback]) })).toBe('PrivateAddress')
      const mixed = resolver([loopback, public4])
      expect(await ended(named, { resolve: mixed })).toBe('PrivateAddress')
      // The first answer is opened for this port; the second one is never asked for.
      const turning = resolver([loopback], [{ address: '169.254.169.254', family: 4 }])
      const privateHosts = [`rebound.example:${new URL(url).port}`]
      expect(await ended(named, { resolve: turning, privateHosts })).toMatchObject({ text: 'inside' })
      expect(await ended(named, { resolve: turning, privateHosts })).toBe('PrivateAddress')
    }))

  it('[P195] reaches what the operator opens, tells of a redirect, and breaks off what is too large', () =>
    withServer(
      ({ url }, response) => {
        if (url === '/moved') response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
        else response.end('x'.repeat(url === '/large' ? 2_000_000 : 10))
      },
      async (url) => {
        const privateHosts = ['127.0.0.1']
        expect(await ended(url, { privateHosts })).toMatchObject({ status: 200, text: 'xxxxxxxxxx' })
        expect(await ended(`${url}/moved`, { privateHosts })).toMatchObject({
          status: 302,
          location: 'http://169.254.169.254/',
        })
        expect(await ended(`${url}/large`, { privateHosts })).toContain('larger than')
        expect(await ended(url, { privateHosts: ['127.0.0.1:1'] })).toBe('PrivateAddress')
      },
    ))
})

import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createAuthority } from './authority.ts'

const run = promisify(execFile)

/** The certificates that a server shows for a host, and what a client that trusts the authority says. */
const shown = async (host: string, servername = host) => {
  const authority = createAuthority()
  const server = createServer({ SNICallback: (_name, done) => done(null, authority.contextFor(host)) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername,
    ca: authority.pem,
    checkServerIdentity: () => undefined,
  })
  try {
    await once(socket, 'secureConnect')
    const raw = socket.getPeerCertificate(true).raw
    return { leaf: new X509Certificate(raw), ca: new X509Certificate(authority.pem), authority }
  } finally {
    socket.destroy()
    server.close()
  }
}

describe('an authority for one session', () => {
  it('makes certificates for names that clients and OpenSSL’s strict checks take', async () => {
    const { leaf, ca } = await shown('registry.example')
    expect(ca.ca).toBe(true)
    expect(leaf.ca).toBe(false)
    expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).toBe(true)
    expect(leaf.checkHost('registry.example')).toBe('registry.example')
    expect(leaf.checkHost('other.example')).toBeUndefined()
    const directory = await mkdtemp(join(tmpdir(), 'berth-authority-'))
    try {
      const files = { ca: join(directory, 'ca.pem'), leaf: join(directory, 'leaf.pem') }
      await writeFile(files.ca, ca.toString())
      await writeFile(files.leaf, leaf.toString())
      const strict = ['-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'registry.example']
      const { stdout } = await run('openssl', ['verify', ...strict, '-CAfile', files.ca, files.leaf])
      expect(stdout).toContain('OK')
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::1', '2001:DB8:0:0:0:0:0:1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('makes certificates for the address %s', async (address, written) => {
    const { leaf } = await shown(address, 'x.example')
    expect(leaf.subjectAltName).toBe(`IP Address:${written}`)
    expect(leaf.checkIP(address)).toBe(address)
  })

  it('keeps what it made for a while, for so many hosts and no more', () => {
    let now = Date.parse('2030-01-01')
    const authority = createAuthority({ now: () => now })
    const first = authority.contextFor('a.example')
    expect(authority.contextFor('a.example')).toBe(first)
    now += 90_000_000
    expect(authority.contextFor('a.example')).not.toBe(first)
    const second = authority.contextFor('a.example')
    for (let i = 0; i < 200; i++) authority.contextFor(`h${i}.example`)
    expect(authority.contextFor('a.example')).not.toBe(second)
  })
})

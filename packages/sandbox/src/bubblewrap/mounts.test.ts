import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkDoor, resolveMounts } from './mounts.ts'

describe('mounts', () => {
  let base: string
  const at = (name: string): string => join(base, name)
  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'berth-mounts-')))
    for (const name of ['workspace/.git/hooks', 'secret']) mkdirSync(at(name), { recursive: true })
    writeFileSync(at('file'), '')
    symlinkSync(at('secret'), at('workspace/link'))
    symlinkSync(at('workspace'), at('alias'))
  })
  afterEach(() => rmSync(base, { recursive: true }))

  it('are put with outer ones first', () => {
    const mounts = [
      { path: at('workspace/.git/hooks'), mode: 'ro' },
      { path: at('workspace'), mode: 'rw' },
    ] as const
    expect(resolveMounts(mounts).map(({ target }) => target)).toEqual([
      at('workspace'),
      at('workspace/.git/hooks'),
    ])
  })

  it('are tidied, and may appear elsewhere', () => {
    expect(resolveMounts([{ path: `${at('workspace')}//./`, mode: 'ro', target: '/opt//tool/' }])).toEqual([
      { path: at('workspace'), mode: 'ro', target: '/opt/tool' },
    ])
  })

  it('may be a file, or lead through a link that the agent can’t write', () => {
    const mounts = [
      { path: at('file'), mode: 'ro' },
      { path: at('alias'), mode: 'rw' },
    ] as const
    expect(resolveMounts(mounts)).toHaveLength(2)
  })

  it('are refused when they lead through a link that the agent could have made', () => {
    const mounts = [
      { path: at('workspace'), mode: 'rw' },
      { path: at('workspace/link'), mode: 'ro' },
    ] as const
    expect(() => resolveMounts(mounts)).toThrow('link')
  })

  it.each([
    '/',
    '/usr',
    '/etc',
    '/run',
    '/tmp',
    '/proc',
    '/proc/sys',
    '/dev/shm',
    '/sys/fs/cgroup',
    '//usr/',
  ])('are refused at %s', (target) => {
    expect(() => resolveMounts([{ path: base, mode: 'ro', target }])).toThrow('cover')
  })

  it('are refused when they aren’t there, or show everything', () => {
    expect(() => resolveMounts([{ path: at('missing'), mode: 'ro' }])).toThrow('no such')
    expect(() => resolveMounts([{ path: '/', mode: 'ro', target: '/host' }])).toThrow('whole machine')
  })

  it('take sockets by the door only, and nothing else by it', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(at('socket'), resolve))
    expect(() => resolveMounts([{ path: at('socket'), mode: 'ro' }])).toThrow('neither')
    expect(() => checkDoor({ socket: at('socket'), target: '/run/door.sock' })).not.toThrow()
    expect(() => checkDoor({ socket: at('socket'), target: '/tmp/door.sock' })).toThrow('/run')
    expect(() => checkDoor({ socket: at('file'), target: '/run/door.sock' })).toThrow('not a socket')
    await new Promise((resolve) => server.close(resolve))
  })
})

import { describe, expect, it } from 'vitest'
import { createBubblewrapSandbox, createNoSandbox, selfTest } from './index.ts'
import { judge } from './self-test.ts'

const context = { cwd: '/w', env: { A: 'b' }, mounts: [], hidden: ['/data'] }
const good = `status.Uid: 1000
status.CapPrm: 0000000000000000
status.CapEff: 0000000000000000
status.CapBnd: 0000000000000000
status.NoNewPrivs: 1
status.Seccomp: 2
interface lo: 1
processes 2
workspace writable
environment
A=b\0PWD=/w\0`
const failed = (output: string, more = {}) =>
  judge(output, { ...context, ...more })
    .filter(({ ok }) => !ok)
    .map(({ name }) => name)

describe('judge', () => {
  it('finds nothing wrong with a tight sandbox', () => {
    expect(failed(good)).toEqual([])
  })

  it.each([
    ['user', 'Uid: 1000', 'Uid: 0'],
    ['capabilities', 'CapBnd: 0000000000000000', 'CapBnd: 0000000000000001'],
    ['new privileges', 'NoNewPrivs: 1', 'NoNewPrivs: 0'],
    ['system calls', 'Seccomp: 2', 'Seccomp: 0'],
    ['network', 'interface lo: 1', 'interface lo: 1\ninterface eth0: 5'],
    ['processes', 'processes 2', 'processes 90'],
    ['workspace', 'workspace writable\n', ''],
    ['hidden paths', 'environment\n', 'visible /data\nenvironment\n'],
    ['system files', 'environment\n', 'writable /usr\nenvironment\n'],
    ['user namespaces', 'environment\n', 'namespace made\nenvironment\n'],
    ['environment', 'A=b', 'A=c'],
    ['environment', 'A=b\0', 'A=b\0C=\0'],
  ])('finds what is wrong: %s', (name, from, to) => {
    expect(failed(good.replace(from, to))).toEqual([name])
  })

  it('misses the door', () => {
    expect(failed(good, { door: { socket: '/s', target: '/run/door.sock' } })).toEqual(['door'])
  })

  it('believes nothing when it heard nothing', () => {
    const silent = failed('')
    for (const name of ['user', 'capabilities', 'new privileges', 'system calls', 'network', 'processes']) {
      expect(silent).toContain(name)
    }
  })

  it('keeps values out of its details', () => {
    const [result] = judge(good.replace('A=b', 'A=hunter2'), context).filter(({ ok }) => !ok)
    expect(result?.detail).toContain('A')
    expect(result?.detail).not.toContain('hunter2')
  })
})

describe('selfTest', () => {
  it('is failed without a sandbox', async () => {
    const results = await selfTest(createNoSandbox(), { ...context, cwd: '/', hidden: ['/usr'] })
    const bad = results.filter(({ ok }) => !ok).map(({ name }) => name)
    expect(bad).toEqual(expect.arrayContaining(['hidden paths', 'system calls', 'environment']))
  })

  it('tells when the sandbox doesn’t start', async () => {
    const results = await selfTest(createBubblewrapSandbox({ bwrap: '/no/such/bwrap' }), context)
    expect(results).toEqual([{ name: 'start', ok: false, detail: expect.stringContaining('bwrap') }])
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileLimits } from '../limits.ts'
import { measureVersion2, version2 } from './version-2.ts'

describe('control groups, version 2', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'berth-cgroup-'))
  })
  afterEach(() => rmSync(base, { recursive: true }))

  it('refuse to exist where the kernel has no limits for them', () => {
    expect(() => version2(base).create('x', compileLimits())).toThrow('memory.max')
  })

  it('read what the kernel counts', () => {
    const files = {
      'memory.current': '5000\n',
      'memory.stat': 'anon 1\ninactive_file 1000\n',
      'cpu.stat': 'usage_usec 12345\nuser_usec 1\n',
      'pids.current': '7\n',
      'memory.events': 'low 0\noom 3\noom_kill 2\n',
    }
    for (const [name, content] of Object.entries(files)) writeFileSync(join(base, name), content)
    expect(measureVersion2(base)).toEqual({ memoryBytes: 4000, cpuMs: 12, processes: 7, oomKills: 2 })
  })
})

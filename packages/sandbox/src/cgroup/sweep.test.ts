import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { processesWith, until } from '../conformance/host-processes.ts'
import { compileLimits } from '../limits.ts'
import { findControlGroups, JOIN_GROUPS } from './find.ts'
import { removeGroup } from './group-files.ts'
import { isStale, newGroupName } from './group-name.ts'
import { sweep } from './sweep.ts'

/** The name that a driver with this pid, long gone, would have given. */
const staleName = (): string => newGroupName().replace(`-${process.pid}-`, '-4194303-')

describe('isStale', () => {
  it('judges by the driver’s pid and start time', () => {
    const own = newGroupName()
    expect(isStale(own)).toBe(false)
    expect(isStale(staleName())).toBe(true)
    expect(isStale(own.replace(/-\d+-([0-9a-f]{12})$/, '-1-$1'))).toBe(true)
  })

  it.each(['berth', 'berth-x', 'docker', 'berth-1-2-3-4', 'berth-1-4194303-5-0123456789ab'])(
    'leaves %s alone: it is not this system’s to judge',
    (name) => {
      expect(isStale(name)).toBe(false)
    },
  )
})

const groups = findControlGroups()
const reason = groups ? '' : ' (control groups are not writable here)'

describe.skipIf(!groups)(`control groups${reason}`, () => {
  it('are swept with their processes when their driver is gone, and only then', async () => {
    if (!groups) return
    const stale = groups.create(staleName(), compileLimits())
    const living = groups.create(newGroupName(), compileLimits())
    mkdirSync(join(stale.directories[0] ?? '', 'made-by-the-agent'))
    const word = newGroupName()
    const loop = `${JOIN_GROUPS}while :; do sleep 1; done`
    spawn('/bin/sh', ['-c', loop, word, ...stale.directories, '--'], { stdio: 'ignore' })
    await until(() => stale.usage().processes > 0 && processesWith(word).length > 0)
    expect(await sweep()).toBeGreaterThanOrEqual(1)
    expect(stale.directories.filter((directory) => existsSync(directory))).toEqual([])
    expect(living.directories.filter((directory) => !existsSync(directory))).toEqual([])
    await until(() => processesWith(word).length === 0)
    expect(removeGroup(living.directories)).toBe(true)
  })

  it('hold CPU where the controller is there: so much of each period', () => {
    const group = groups?.create(newGroupName(), compileLimits({ milliCpus: 250 }))
    const read = (file: string) =>
      (group?.directories ?? []).flatMap((directory) => {
        const path = join(directory, file)
        return existsSync(path) ? [readFileSync(path, 'utf8').trim()] : []
      })
    const said = groups?.kind === 'cgroup-v1' ? read('cpu.cfs_quota_us') : read('cpu.max')
    expect(said).toEqual(said.length === 0 ? [] : [groups?.kind === 'cgroup-v1' ? '25000' : '25000 100000'])
    expect(removeGroup(group?.directories ?? [])).toBe(true)
  })

  it('leave nothing behind when one can’t be made', () => {
    if (!groups) return
    const name = newGroupName()
    expect(() => groups.create(name, { ...compileLimits(), processes: Number.NaN })).toThrow()
    expect(groups.bases.filter((base) => existsSync(join(base, name)))).toEqual([])
  })
})

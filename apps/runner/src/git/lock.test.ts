import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withLock } from './lock.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-lock-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const path = () => join(directory, 'a.lock')

it('lets one in at a time, and leaves nothing behind', async () => {
  let inside = 0
  const most: number[] = []
  const task = async () => {
    inside += 1
    most.push(inside)
    await new Promise(setImmediate)
    inside -= 1
  }
  await Promise.all(Array.from({ length: 10 }, () => withLock(path(), { timeoutMs: 20_000 }, task)))
  expect(most).toEqual(Array.from({ length: 10 }, () => 1))
  expect(readdirSync(directory)).toEqual([])
})

it('is free again after a failure', async () => {
  await expect(withLock(path(), { timeoutMs: 1000 }, () => Promise.reject(new Error('no')))).rejects.toThrow(
    'no',
  )
  expect(await withLock(path(), { timeoutMs: 1000 }, async () => 'in')).toBe('in')
})

it('says how long it waited in vain', async () => {
  await withLock(path(), { timeoutMs: 1000 }, async () => {
    await expect(withLock(path(), { timeoutMs: 20 }, async () => undefined)).rejects.toThrow(
      'held by another process',
    )
  })
})

it('takes over from a process that was killed', async () => {
  const source = `
    const { withLock } = await import(${JSON.stringify(import.meta.resolve('./lock.ts'))})
    await withLock(${JSON.stringify(path())}, { timeoutMs: 1000 }, async () => {
      process.stdout.write('in')
      await new Promise((resolve) => setTimeout(resolve, 60000))
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  expect(readFileSync(path(), 'utf8')).toContain(String(child.pid))
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await withLock(path(), { timeoutMs: 20_000 }, async () => 'in')).toBe('in')
  expect(readdirSync(directory)).toEqual([])
})

it('does not mistake another process with the same id for the holder', async () => {
  writeFileSync(path(), `${process.pid} 1 abc`)
  expect(await withLock(path(), { timeoutMs: 20_000 }, async () => 'in')).toBe('in')
})

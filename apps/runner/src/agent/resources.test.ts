import { expect, it } from 'vitest'
import { createResourceReporter, type Resources } from './resources.ts'

const mebibyte = 1024 * 1024

const open = () => {
  const told: Resources[] = []
  let [used, time]: [Resources | undefined, number] = [undefined, 0]
  const report = createResourceReporter({
    usage: () => used,
    emit: ({ data }) => told.push(data as Resources),
    now: () => time,
  })
  /** Looks `seconds` later at what is used then. */
  const look = (seconds: number, use: Partial<Resources> | undefined): number => {
    time += seconds * 1000
    used = use && { memoryBytes: 100 * mebibyte, cpuMs: 0, processes: 5, ...use }
    report()
    return told.length
  }
  return { told, look }
}

it('tells the first measurement, and then what has changed by much', () => {
  const { told, look } = open()
  expect(look(0, undefined)).toBe(0)
  expect(look(5, {})).toBe(1)
  expect(look(60, { memoryBytes: 119 * mebibyte })).toBe(1)
  expect(look(60, { memoryBytes: 120 * mebibyte })).toBe(2)
  expect(look(60, { memoryBytes: 96 * mebibyte })).toBe(3)
  expect(look(60, { memoryBytes: 96 * mebibyte, processes: 15 })).toBe(4)
  expect(look(60, { memoryBytes: 96 * mebibyte, processes: 15, cpuMs: 59_999 })).toBe(4)
  expect(look(60, { memoryBytes: 96 * mebibyte, processes: 15, cpuMs: 60_000 })).toBe(5)
  expect(told.at(-1)).toEqual({ memoryBytes: 96 * mebibyte, processes: 15, cpuMs: 60_000 })
})

it('tells nothing about trifles, and nothing twice within half a minute', () => {
  const { look } = open()
  look(0, { memoryBytes: 10 * mebibyte })
  expect(look(60, { memoryBytes: 25 * mebibyte })).toBe(1)
  expect(look(60, { memoryBytes: 100 * mebibyte })).toBe(2)
  expect(look(29, { memoryBytes: 300 * mebibyte })).toBe(2)
  expect(look(1, { memoryBytes: 300 * mebibyte })).toBe(3)
})

it('adds up the CPU time of one Claude Code after another', () => {
  const { told, look } = open()
  look(0, { cpuMs: 50_000 })
  look(10, { cpuMs: 70_000 })
  look(30, { cpuMs: 40_000 })
  expect(told.at(-1)?.cpuMs).toBe(110_000)
})

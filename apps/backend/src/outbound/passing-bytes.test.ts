import { expect, it } from 'vitest'
import { passedOn } from './passing-bytes.ts'

const mebibyte = 1024 ** 2

it('frees what passed long before V8 would look at its whole heap for it, and shows nobody how', () => {
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let i = 0; i < 256; i++) {
    const chunk = Buffer.alloc(mebibyte)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    passedOn(chunk.length)
  }
  // Eight since the last look, as many that another thread still frees, and as many that were in use; V8 itself waits for 64.
  expect(most).toBeLessThan(40 * mebibyte)
  expect(Object.hasOwn(globalThis, 'gc')).toBe(false)
})

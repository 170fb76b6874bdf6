import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from '../src/index.js'

test('writes minutes and seconds', () => {
  assert.equal(formatDuration(90_000), '1m 30s')
})

test('writes hours and minutes', () => {
  assert.equal(formatDuration(5_400_000), '1h 30m')
})

test('writes a full hour as one hour', () => {
  assert.equal(formatDuration(3_600_000), '1h')
})

test('writes nothing as zero seconds', () => {
  assert.equal(formatDuration(0), '0s')
})

test('refuses negative durations', () => {
  assert.throws(() => formatDuration(-1), RangeError)
})

test('reads what people write', () => {
  assert.equal(parseDuration('1h 30m'), 5_400_000)
  assert.equal(parseDuration(' 2d '), 172_800_000)
})

test('refuses what is no duration', () => {
  assert.throws(() => parseDuration('soon'), SyntaxError)
})

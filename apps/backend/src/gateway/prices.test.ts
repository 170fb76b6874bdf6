import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { costOf } from './cost.ts'
import { builtInPrices, loadPrices } from './prices.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-prices-'))
})
afterEach(() => rm(directory, { recursive: true }))

const load = async (content: unknown) => {
  const file = join(directory, 'prices.json')
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  return loadPrices(file)
}

const one = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 }
const tokens = (more: object = {}) => ({
  ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  ...more,
})
const live = (model: string) => ({ source: 'live', model }) as const

describe('prices from a file', () => {
  it('count before the built-in ones, which stay', async () => {
    const prices = await load({ source: 'us', prices: { 'claude-opus-5-5': one, 'our-': one } })
    const million = tokens({ inputTokens: 1e6 })
    expect(costOf(prices, live('claude-opus-5-5-20260901'), million)).toBe(1)
    expect(costOf(prices, live('our-model'), million)).toBe(1)
    expect(costOf(prices, live('claude-haiku-4-5'), million)).toBe(1)
    expect(costOf(prices, live('other'), million)).toBeNull()
    expect(costOf(prices, { source: 'scripted', model: 'claude-opus-5-5' }, million)).toBe(0)
  })

  it('may price every model, and the scripted one', async () => {
    const prices = await load({ prices: { '*': one }, scripted: { '*': { ...one, output: 7 } } })
    const million = tokens({ outputTokens: 1e6 })
    expect(costOf(prices, live('other'), million)).toBe(2)
    expect(costOf(prices, live('claude-opus-5'), million)).toBe(25)
    expect(costOf(prices, { source: 'scripted', model: 'any' }, million)).toBe(7)
  })

  it('are refused with every bad entry named', async () => {
    const bad = { prices: { a: { ...one, input: -1 }, b: { input: 1 } }, other: {} }
    await expect(load(bad)).rejects.toThrow(/BERTH_PRICES[\s\S]*a → input[\s\S]*b → output[\s\S]*other/)
    await expect(load('{')).rejects.toThrow(/not JSON/)
    await expect(loadPrices(join(directory, 'none.json'))).rejects.toThrow(/can’t be read: ENOENT/)
    expect(await loadPrices(undefined)).toBe(builtInPrices)
  })
})

describe('costOf', () => {
  it('takes an hour in the cache for what it costs', () => {
    const written = tokens({ cacheWriteTokens: 2e6, cacheWriteHourTokens: 1e6 })
    expect(costOf(builtInPrices, live('claude-opus-5'), written)).toBe(16.25)
    const { prices } = { prices: { m: one } }
    expect(costOf({ prices, scripted: {} }, live('m'), written)).toBe(8)
  })

  it('takes long prompts for what they cost, all their tokens', () => {
    const price = (prompt: number) =>
      costOf(builtInPrices, live('claude-haiku-5-5'), tokens({ cacheReadTokens: prompt, outputTokens: 1e6 }))
    expect(price(100_000)).toBeCloseTo(0.501, 6)
    expect(price(100_001)).toBeCloseTo(2.50500005, 6)
  })
})

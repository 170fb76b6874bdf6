import { z } from 'zod'
import { readOperatorFile } from '../operator-file.ts'
import builtIn from './prices.json' with { type: 'json' }

const dollars = z.number().nonnegative().max(1_000_000)

const rates = {
  input: dollars,
  output: dollars,
  cacheRead: dollars,
  /** Of tokens that are kept for five minutes. */
  cacheWrite: dollars,
  /** Of tokens that are kept for an hour. Default: as for five minutes. */
  cacheWriteHour: dollars.optional(),
}

/** US dollars for a million tokens. */
const price = z.strictObject({
  ...rates,
  /** What all tokens of a request cost when its prompt has more than `above`. */
  longPrompt: z.strictObject({ ...rates, above: z.number().int().positive() }).optional(),
})

export type Price = z.infer<typeof price>

/** By the beginning of a model's name; `*` is any model that has no other price. */
const table = z.record(z.string().min(1).max(200), price)

const priceFile = z.strictObject({
  /** Where the prices are from, and of when: for people. */
  source: z.string().max(1000).optional(),
  date: z.string().max(100).optional(),
  prices: table.default({}),
  /** What the scripted model is said to cost, so that budgets can be tried without a key. Default: nothing. */
  scripted: table.default({}),
})

export type Prices = Pick<z.infer<typeof priceFile>, 'prices' | 'scripted'>

export const builtInPrices: Prices = priceFile.parse(builtIn)

/** The built-in prices with those of a file on top. Throws one error that names every bad entry. */
export const loadPrices = async (file: string | undefined): Promise<Prices> => {
  if (file === undefined) return builtInPrices
  const { prices, scripted } = await readOperatorFile(file, {
    what: 'The prices',
    variable: 'BERTH_PRICES',
    schema: priceFile,
  })
  return { prices: { ...builtInPrices.prices, ...prices }, scripted }
}

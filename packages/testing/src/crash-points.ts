import { onTestFailed } from 'vitest'

/** Of so many places where something can be cut short, a test tries one; all of them with BERTH_TEST_CRASHES=every. */
const share = process.env.BERTH_TEST_CRASHES === 'every' ? 1 : 3

/** Some of the places where something can be cut short, at least one, others each time; a test that fails names them. */
export const crashPoints = <T>(all: readonly T[]): T[] => {
  const first = Math.floor(Math.random() * Math.min(share, all.length))
  const chosen = all.filter((_, i) => i % share === first)
  onTestFailed(() => console.error('cut short at', chosen))
  return chosen
}

/** As `crashPoints`, for steps that are counted from 1 until there are no more: the caller leaves when it got to the end. */
export function* crashSteps(): Generator<number> {
  for (let step = 1 + Math.floor(Math.random() * share); ; step += share) yield step
}

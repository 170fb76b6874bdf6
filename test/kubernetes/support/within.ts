const defaultSeconds = 120

/** Waits until a condition gives something; rejects with `what` and what was seen last. */
export const within = async <T>(
  what: string,
  look: () => Promise<T | undefined>,
  seconds = defaultSeconds,
): Promise<T> => {
  const end = Date.now() + seconds * 1000
  let problem: unknown
  while (Date.now() < end) {
    try {
      const found = await look()
      if (found !== undefined) return found
      problem = undefined
    } catch (error) {
      problem = error
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const last = problem === undefined ? '' : ` Last: ${problem instanceof Error ? problem.message : problem}`
  throw new Error(`This did not happen within ${seconds} s: ${what}.${last}`)
}

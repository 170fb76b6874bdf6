/** The value of a text that should be JSON; undefined when it is none. Whoever reads it says what that means. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // Whoever asked has words of their own for that, or the upstream has.
    return undefined
  }
}

/** Places where something waits until the test lets it go on. */
export interface Gates {
  /** Resolves when somebody has come to this gate. */
  reached(name: string): Promise<void>
  open(name: string): void
  /** Waits at the gate; passes at once when it is open. */
  wait(name: string): Promise<void>
}

export const createGates = (): Gates => {
  const gates = new Map<string, { reached: PromiseWithResolvers<void>; opened: PromiseWithResolvers<void> }>()
  const gate = (name: string) => {
    const known = gates.get(name) ?? {
      reached: Promise.withResolvers<void>(),
      opened: Promise.withResolvers<void>(),
    }
    gates.set(name, known)
    return known
  }
  return {
    reached: (name) => gate(name).reached.promise,
    open: (name) => gate(name).opened.resolve(),
    wait: (name) => {
      gate(name).reached.resolve()
      return gate(name).opened.promise
    },
  }
}

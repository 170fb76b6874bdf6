/** A stretch of a text in which a pattern lies. */
export interface Match {
  start: number
  end: number
  /** The pattern's number. */
  pattern: number
}

/**
 * Finds many patterns in one pass over a text (Aho and Corasick): the time it takes depends on the length of the text alone,
 * whatever text and patterns are. Works on UTF-16 units.
 */
export class Matcher {
  /** Units that stand in any pattern. */
  readonly units: ReadonlySet<number>
  readonly longest: number
  readonly #nodes: Node[] = [newNode(0, -1)]

  constructor(patterns: readonly string[]) {
    const units = new Set<number>()
    patterns.forEach((pattern, number) => {
      let node = 0
      for (let i = 0; i < pattern.length; i++) {
        const unit = pattern.charCodeAt(i)
        units.add(unit)
        node = this.#child(node, unit) ?? this.#grow(node, { unit, number })
      }
      const last = this.#at(node)
      if (last.found < 0) Object.assign(last, { found: number, units: pattern.length })
    })
    this.units = units
    this.longest = patterns.reduce((most, { length }) => Math.max(most, length), 0)
    this.#link()
  }

  /** Of the patterns that end at a place the longest each, in the order of their ends; and what may go on after the text. */
  find(text: string): { matches: Match[]; open: { units: number; pattern: number } } {
    const matches: Match[] = []
    let node = 0
    for (let i = 0; i < text.length; i++) {
      node = this.#step(node, text.charCodeAt(i))
      const { found, units } = this.#at(node)
      if (found >= 0) matches.push({ start: i + 1 - units, end: i + 1, pattern: found })
    }
    // What is whole and is the beginning of nothing longer is decided.
    while (node !== 0 && this.#at(node).children === undefined) node = this.#at(node).fail
    const { depth, pattern } = this.#at(node)
    return { matches, open: { units: depth, pattern } }
  }

  #at(node: number): Node {
    const found = this.#nodes[node]
    if (found === undefined) throw new Error('There is no such node')
    return found
  }

  #child(node: number, unit: number): number | undefined {
    return this.#at(node).children?.get(unit)
  }

  #grow(node: number, { unit, number }: { unit: number; number: number }): number {
    const parent = this.#at(node)
    this.#nodes.push(newNode(parent.depth + 1, number))
    parent.children ??= new Map()
    parent.children.set(unit, this.#nodes.length - 1)
    return this.#nodes.length - 1
  }

  /** Where one comes from a node by a unit. */
  #step(from: number, unit: number): number {
    for (let node = from; ; node = this.#at(node).fail) {
      const next = this.#child(node, unit)
      if (next !== undefined) return next
      if (node === 0) return 0
    }
  }

  /** Level by level: each node gets the longest of its ends that begins a pattern, and the longest pattern that ends there. */
  #link(): void {
    const queue = [0]
    // An array that grows while it is gone through: shifting would move all of it each time.
    for (const next of queue) {
      for (const [unit, child] of this.#at(next).children ?? []) {
        const node = this.#at(child)
        node.fail = next === 0 ? 0 : this.#step(this.#at(next).fail, unit)
        const shorter = this.#at(node.fail)
        if (node.found < 0) Object.assign(node, { found: shorter.found, units: shorter.units })
        queue.push(child)
      }
    }
  }
}

interface Node {
  children: Map<number, number> | undefined
  fail: number
  /** The longest pattern that ends here, and its length; -1: none does. */
  found: number
  units: number
  depth: number
  /** A pattern that goes through here. */
  pattern: number
}

const newNode = (depth: number, pattern: number): Node => ({
  ...{ children: undefined, fail: 0, found: -1, units: 0 },
  ...{ depth, pattern },
})

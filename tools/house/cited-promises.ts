import { parseSync, Visitor } from 'oxc-parser'

/**
 * The numbers of promises and faults in a test file's string literals, where titles are written: `[P7]`, or `[P7, S8]`. Comments
 * don't count.
 */
export function citedPromises(file: string, text: string): string[] {
  const cited = new Set<string>()
  const collect = (literal: string) => {
    for (const [, ids = ''] of literal.matchAll(/\[([PS]\d+(?:, ?[PS]\d+)*)\]/g)) {
      for (const id of ids.split(/, ?/)) cited.add(id)
    }
  }
  new Visitor({
    Literal(node) {
      if (typeof node.value === 'string') collect(node.value)
    },
    TemplateElement(node) {
      collect(node.value.raw)
    },
  }).visit(parseSync(file, text).program)
  return [...cited]
}

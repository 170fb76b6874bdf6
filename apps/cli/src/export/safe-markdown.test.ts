import { HtmlRenderer, type Node, Parser } from 'commonmark'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { safeText } from '../terminal/safe-text.ts'
import { fence, literal, quoted } from './safe-markdown.ts'

/** Every node of a document, as the reference implementation of CommonMark reads it. */
const nodesOf = (markdown: string): Node[] => {
  const walker = new Parser().parse(markdown).walker()
  const nodes: Node[] = []
  for (let step = walker.next(); step !== null; step = walker.next()) if (step.entering) nodes.push(step.node)
  return nodes
}

const topOf = (markdown: string): string[] =>
  nodesOf(markdown)
    .filter((node) => node.parent?.type === 'document')
    .map(({ type }) => type)

const piece = fc.constantFrom(
  ...['`', '``', '```', '````', '~~~', '\n', '\n\n', '    ', '   ', '- ', '1. ', '> ', '\\', '\\`'],
  ...[
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<!-- ',
    '-->',
    '<?php',
    '</details>',
    '<a href="`">',
  ],
  ...[
    '![x](http://evil/?q)',
    '[x](javascript:alert(1))',
    '[x]( <data:text/html,x>)',
    '[a]: javascript:x',
    '[`]: javascript:x',
    '[a]:',
    '[x][a]',
    '[a]',
  ],
  ...[
    '# Heading',
    '## Ann, 2026-01-31 14:05:09',
    '---',
    '| a | b |',
    'text',
    ' ',
    '\r',
    '\u001b[2J',
    '\u202e',
    '```js',
    '<b',
    '&lt;',
  ],
)

describe('[P76] text in an export', () => {
  test('can’t leave its place, whoever wrote it and whatever it says', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const nodes = nodesOf(`${quoted(pieces.join(''))}\n\nafter\n`)
        const types = nodes.map(({ type }) => type)
        expect(types).not.toContain('html_block')
        expect(types).not.toContain('html_inline')
        expect(types).not.toContain('image')
        for (const node of nodes.filter(({ type }) => type === 'link'))
          expect(node.destination).toMatch(/^(https?:|mailto:|#)/)
        const top = topOf(`${quoted(pieces.join(''))}\n\nafter\n`)
        expect(top.slice(0, -1).every((type) => type === 'block_quote')).toBe(true)
        expect(top.at(-1)).toBe('paragraph')
      }),
      { numRuns: 3000 },
    )
  })

  test('stays readable', () => {
    const text =
      'Use `Map<string>` and **this**:\n\n```ts\nconst a = `<b>`\n```\n\n- one <T>\n- [two](https://example.com)'
    const html = new HtmlRenderer().render(new Parser().parse(quoted(text)))
    expect(html).toContain('<code>Map&lt;string&gt;</code>')
    expect(html).toContain('<strong>this</strong>')
    expect(html).toContain('<code class="language-ts">const a = `&lt;b&gt;`\n</code>')
    expect(html).toContain('one &lt;T&gt;')
    expect(html).toContain('<a href="https://example.com">two</a>')
  })

  test('in a fence is one code block with exactly that text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = safeText(`x${pieces.join('')}`).replace(/\n+$/, '')
        const nodes = nodesOf(fence(text))
        expect(nodes.map(({ type }) => type)).toEqual(['document', 'code_block'])
        expect(nodes[1]?.literal).toBe(`${text}\n`)
      }),
    )
  })

  test('that is literal is read as it is', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const nodes = nodesOf(`x ${literal(pieces.join(''))} y`)
        expect(new Set(nodes.map(({ type }) => type))).toEqual(new Set(['document', 'paragraph', 'text']))
      }),
    )
  })
})

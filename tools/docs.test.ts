import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { anchorsOf, linksOf } from './house/markdown.ts'
import { read, root, trackedFiles } from './house/tracked-files.ts'

const pages = trackedFiles('.md')

/** Paths of somebody's machine. `/home/agent` is inside a sandbox, and the same everywhere. */
const MACHINE_PATH = /(?<![\w.*@-])\/(?:home\/(?!agent\b)|root\/|Users\/)[\w.-]+/

describe('documentation', () => {
  test.each(pages)('%s: every relative link leads somewhere', (page) => {
    const broken = linksOf(read(page))
      .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link))
      .filter((link) => !leadsSomewhere(page, link))
    expect(broken).toEqual([])
  })

  test('no file names a path of one machine', () => {
    const text = trackedFiles().filter((file) => !/\.(png|svg|ico|gz|tar|woff2?|zip|pack|bundle)$/.test(file))
    const found = text.flatMap((file) => {
      const content = read(file)
      const path = content.includes(`${root}/`) ? root : MACHINE_PATH.exec(content)?.[0]
      return path === undefined ? [] : [`${file}: ${path}`]
    })
    expect(found).toEqual([])
  })

  test('links and anchors are found, those in code are not', () => {
    expect(linksOf('[a](b.md#c "d") ![e](<f.png>) `[g](h)`\n```\n[i](j)\n```\n[k]: l.md')).toEqual([
      'b.md#c',
      'f.png',
      'l.md',
    ])
    expect([...anchorsOf('# A `b`: c/d\n## [E](f) g\n## E g\n```\n# h\n```')]).toEqual([
      'a-b-cd',
      'e-g',
      'e-g-1',
    ])
  })
})

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = decodeURIComponent(link).split('#')
  const target = path === '' ? page : posix.join(posix.dirname(page), path)
  if (target.startsWith('..') || !existsSync(join(root, target))) return false
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(read(target)).has(anchor)
}

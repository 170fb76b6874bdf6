import { expect, test } from 'vitest'
import { read } from '../house/tracked-files.ts'
import { drawTerminal } from './draw-terminal.ts'
import { parseAnsi } from './parse-ansi.ts'

test('styles go on over line ends, until they are taken back', () => {
  expect(parseAnsi('\u001b[1ma\u001b[32mb\r\nc\u001b[39md\u001b[22m\u001b[2K')).toEqual([
    [
      { text: 'a', classes: ['bold'] },
      { text: 'b', classes: ['bold', 'green'] },
    ],
    [
      { text: 'c', classes: ['bold', 'green'] },
      { text: 'd', classes: ['bold'] },
    ],
  ])
})

test('a picture holds its text, escaped and cut to the width', () => {
  const svg = drawTerminal('<a> & b\n\u001b[31m0123456789\u001b[39m', { columns: 8, title: 't' })
  expect(svg).toContain('&lt;a&gt; &amp; b')
  expect(svg).toContain('class="red">01234567<')
})

test('the picture of the README is small and says that a scripted model answers', () => {
  const svg = read('docs/images/session.svg')
  expect(svg.length).toBeLessThan(60 * 1024)
  for (const text of ['berth run', 'clone tidy-durations', '[scripted model]', 'done', 'berth diff last'])
    expect(svg).toContain(text)
})

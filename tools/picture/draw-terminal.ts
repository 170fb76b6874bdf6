import { parseAnsi, type Run } from './parse-ansi.ts'

export interface Picture {
  /** Width of the terminal in characters. Longer lines are cut off. */
  columns: number
  /** What stands in the bar of the window. */
  title: string
}

const fontSize = 14
const advance = 8.43
const leading = 20
const margin = 20
const bar = 36

/** Colours that can be read on the picture's own dark background, which suits light and dark pages. */
const style = [
  'text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:#d8dee6;white-space:pre}',
  '.bold{font-weight:700;fill:#fff}.dim{fill:#8b95a3}.red{fill:#ff8078}.green{fill:#6fd08c}',
  '.yellow{fill:#e8c268}.blue{fill:#7fb4ff}.cyan{fill:#62cfd6}.magenta{fill:#d99bf0}',
].join('')

/** Draws terminal output with ANSI styles as an SVG picture, a text element a line. */
export const drawTerminal = (output: string, { columns, title }: Picture): string => {
  const lines = parseAnsi(output.trimEnd())
  const width = Math.ceil(columns * advance + 2 * margin)
  const height = bar + lines.length * leading + margin
  const rows = lines.map((runs, i) => drawLine(runs, bar + (i + 1) * leading - 4, columns))
  const dots = ['#ff6b61', '#f5bf4f', '#61c554'].map(
    (fill, i) => `<circle cx="${margin + i * 20}" cy="18" r="5.5" fill="${fill}"/>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-size="${fontSize}" role="img">`,
    `<title>${escaped(title)}</title><style>${style}</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#1b2028" stroke="#8b95a3" stroke-opacity=".45"/>`,
    ...dots,
    `<text x="${width / 2}" y="23" text-anchor="middle" class="dim">${escaped(title)}</text>`,
    ...rows.filter((row) => row !== ''),
    '</svg>\n',
  ].join('\n')
}

const drawLine = (runs: readonly Run[], y: number, columns: number): string => {
  let column = 0
  const spans = runs.map(({ text, classes }) => {
    const cut = [...text].slice(0, Math.max(0, columns - column)).join('')
    // Each run has its own place, so that a font with another advance does not shift the columns.
    const x = (margin + column * advance).toFixed(1)
    column += [...text].length
    if (cut.trim() === '') return ''
    const kind = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`
    return `<tspan x="${x}"${kind}>${escaped(cut)}</tspan>`
  })
  const drawn = spans.join('')
  return drawn === '' ? '' : `<text y="${y}" xml:space="preserve">${drawn}</text>`
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

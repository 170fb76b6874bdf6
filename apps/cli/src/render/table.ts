import type { Style } from '../terminal/style.ts'
import { fit, padEnd, padStart, textWidth } from '../terminal/width.ts'

export interface Column {
  title: string
  /** Gives way when the terminal is narrow, down to `min` columns. */
  shrinks?: boolean
  min?: number
  right?: boolean
  /** Goes first, before any other gives way. */
  optional?: boolean
}

/** A cell: text, and how it is styled once its width is settled. */
export interface Cell {
  text: string
  paint?: (text: string) => string
}

const gap = 2

/** A table that is at most `columns` wide: shrinking columns give way first, then whole columns go from the right. */
export const renderTable = (
  { columns, rows }: { columns: readonly Column[]; rows: readonly (readonly Cell[])[] },
  { width, style }: { width: number; style: Style },
): string => {
  const natural = columns.map((column, i) =>
    Math.max(textWidth(column.title), ...rows.map((row) => textWidth(row[i]?.text ?? ''))),
  )
  const widths = settle(columns, natural, width)
  const line = (cells: readonly Cell[]) =>
    widths
      .map((size, i) => pad(cells[i] ?? { text: '' }, size, columns[i]?.right === true))
      .join(' '.repeat(gap))
      .trimEnd()
  const head = line(columns.map(({ title }) => ({ text: title, paint: style.dim })))
  return [head, ...rows.map(line)].join('\n')
}

const pad = ({ text, paint }: Cell, size: number, right: boolean): string => {
  const cut = fit(text, size)
  const padded = right ? padStart(cut, size) : padEnd(cut, size)
  return paint === undefined || cut === '' ? padded : padded.replace(cut, () => paint(cut))
}

const settle = (columns: readonly Column[], natural: readonly number[], width: number): number[] => {
  const widths = [...natural]
  const total = () => widths.reduce((sum, size) => sum + size, 0) + gap * (widths.length - 1)
  // From the right, so that the rest keep their places.
  for (let i = widths.length - 1; i > 0 && total() > width && columns[i]?.optional === true; i--) widths.pop()
  while (total() > width) {
    const widest = widths
      .map((size, i) => ({ size, i }))
      .filter(({ size, i }) => columns[i]?.shrinks === true && size > (columns[i]?.min ?? 8))
      .sort((a, b) => b.size - a.size)[0]
    if (widest !== undefined) widths[widest.i] = widest.size - 1
    else if (widths.length > 1) widths.pop()
    else return [Math.max(1, width)]
  }
  return widths
}

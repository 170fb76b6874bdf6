import measure from 'fast-string-truncated-width'

/** Columns that a text takes on a terminal: wide characters and emoji take two, styles none. */
export const textWidth = (text: string): number => measure(text).width

/** The text cut to `columns`, with an ellipsis when something was cut off. For plain text, without styles. */
export const fit = (text: string, columns: number): string => {
  if (columns <= 0) return ''
  const { truncated, ellipsed, index } = measure(text, { limit: columns, ellipsis: '…', ellipsisWidth: 1 })
  return truncated ? `${text.slice(0, index)}${ellipsed ? '…' : ''}` : text
}

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - textWidth(text)))

export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - textWidth(text))) + text

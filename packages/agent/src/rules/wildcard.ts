/** Whether `text` fits a pattern in which `*` stands for any characters. Linear in practice: runs of stars are one. */
export const fitsWildcard = (pattern: string, text: string): boolean => {
  if (!pattern.includes('*')) return pattern === text
  const [first = '', ...rest] = pattern.replaceAll(/\*+/g, '*').split('*')
  if (!text.startsWith(first)) return false
  const last = rest.pop() ?? ''
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}

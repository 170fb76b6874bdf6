/** Characters of a line that are looked at: what comes after them is dropped, so that no flood fills the memory. */
const longest = 8192

/** Cuts what a process writes into lines. */
export interface LineSplitter {
  push(text: string): void
  /** What stands after the last line end is a line too. */
  end(): void
}

export const splitLines = (onLine: (line: string) => void): LineSplitter => {
  let begun = ''
  const add = (text: string) => {
    if (begun.length < longest) begun += text.slice(0, longest - begun.length)
  }
  const finish = () => {
    if (begun.trim() !== '') onLine(begun)
    begun = ''
  }
  return {
    push: (text) => {
      let from = 0
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
        add(text.slice(from, at))
        finish()
        from = at + 1
      }
      add(text.slice(from))
    },
    end: finish,
  }
}

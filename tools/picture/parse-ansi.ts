/** A piece of a line in one style. */
export interface Run {
  text: string
  classes: string[]
}

const names: Record<number, string> = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
  34: 'blue',
  35: 'magenta',
  36: 'cyan',
}

/** Lines of terminal output as runs of one style each. Knows the styles that `berth` uses; drops the others. */
export const parseAnsi = (output: string): Run[][] => {
  const on = new Set<string>()
  return output
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => parseLine(line, on))
}

const parseLine = (line: string, on: Set<string>): Run[] => {
  const runs: Run[] = []
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is parsed
  for (const [part] of line.matchAll(/\u001b\[[\d;?]*[A-Za-z]|[^\u001b]+/g)) {
    if (part.startsWith('\u001b')) apply(part, on)
    else runs.push({ text: part, classes: [...on] })
  }
  return runs
}

const apply = (sequence: string, on: Set<string>): void => {
  if (!sequence.endsWith('m')) return
  for (const code of sequence.slice(2, -1).split(';').map(Number)) {
    const name = names[code]
    if (name !== undefined) on.add(name)
    else if (code === 0) on.clear()
    else if (code === 22) for (const weight of ['bold', 'dim']) on.delete(weight)
    else if (code === 39) for (const colour of Object.values(names).slice(2)) on.delete(colour)
  }
}

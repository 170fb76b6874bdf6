const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]

/** Writes milliseconds as `1d 2h 3m 4s`, without the parts that are zero. */
export function formatDuration(milliseconds) {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new RangeError(`A duration is a number from 0 on, not ${milliseconds}`)
  }
  let rest = Math.round(milliseconds / 1_000) * 1_000
  const parts = []
  for (const [name, size] of units) {
    if (rest > size) {
      parts.push(`${Math.floor(rest / size)}${name}`)
      rest %= size
    }
  }
  return parts.join(' ') || '0s'
}

/** Reads `1h 30m`, `90s`, `2d`; the parts may stand in any order. */
export function parseDuration(text) {
  const parts = text.trim().split(/\s+/)
  return parts.reduce((sum, part) => sum + parsePart(part, text), 0)
}

function parsePart(part, text) {
  const [, count, name] = /^(\d+)([dhms])$/.exec(part) ?? []
  const unit = units.find(([known]) => known === name)
  if (!unit) throw new SyntaxError(`"${text}" is not a duration such as 1h 30m`)
  return Number(count) * unit[1]
}

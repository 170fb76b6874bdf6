/** A length of time in few characters: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d`. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return two(Math.floor(whole / 60), 'min', whole % 60, 's')
  const minutes = Math.floor(whole / 60)
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  return `${Math.floor(minutes / 1440)} d`
}

const two = (...[big, bigUnit, small, smallUnit]: [number, string, number, string]) =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`

/** How long ago, in one unit: `now`, `5 min`, `3 h`, `2 d`. */
export const age = (at: string, now: number): string => {
  const minutes = Math.floor((now - Date.parse(at)) / 60_000)
  if (minutes < 1) return 'now'
  if (minutes < 60) return `${minutes} min`
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`
}

/** A point in time as the clock on the wall shows it: `2026-01-31 14:05`. */
export const moment = (at: string): string => {
  const date = new Date(at)
  const [month, day, hour, minute] = [
    date.getMonth() + 1,
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
  ].map((part) => String(part).padStart(2, '0'))
  return `${date.getFullYear()}-${month}-${day} ${hour}:${minute}`
}

/** The same with seconds: `2026-01-31 14:05:09`. */
export const clock = (at: string): string =>
  `${moment(at)}:${String(new Date(at).getSeconds()).padStart(2, '0')}`

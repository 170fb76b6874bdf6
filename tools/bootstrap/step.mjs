import { performance } from 'node:perf_hooks'

const colours = process.stderr.isTTY && !process.env.NO_COLOR

/**
 * @param {number} code an ANSI colour
 * @param {string} text
 */
function paint(code, text) {
  return colours ? `\u001b[${code}m${text}\u001b[0m` : text
}

/**
 * Does a piece of the set-up and prints one line for it, with its duration. A terminal shows the line from the
 * start; a log gets it when the step is done.
 *
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(label, work) {
  const begin = performance.now()
  if (process.stderr.isTTY) process.stderr.write(`  … ${label}`)
  const finish = (/** @type {string} */ mark) => {
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    const line = `  ${mark} ${label} ${paint(2, `${seconds} s`)}\n`
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : line)
  }
  try {
    const result = await work()
    finish(paint(32, '✓'))
    return result
  } catch (error) {
    finish(paint(31, '✗'))
    throw error
  }
}

/** @param {string} message */
export function warn(message) {
  process.stderr.write(`  ${paint(33, '!')} ${message}\n`)
}

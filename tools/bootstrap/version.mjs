/**
 * The first `1.2.3` or `1.2` in a text such as `git version 2.39.5 (Apple Git-154)`, as numbers.
 *
 * @param {string} text
 * @returns {[number, number, number] | undefined}
 */
function parseVersion(text) {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)] : undefined
}

/**
 * @param {string} text a text with a version in it
 * @param {[number, number, number]} minimum
 */
export function isAtLeast(text, minimum) {
  const version = parseVersion(text)
  if (!version) return false
  for (const [index, wanted] of minimum.entries()) {
    const part = version[index] ?? 0
    if (part !== wanted) return part > wanted
  }
  return true
}

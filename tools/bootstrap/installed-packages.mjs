/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, resolved?: string,
 *   optional?: boolean, peer?: boolean }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} Lockfile
 */

/**
 * The packages that the lockfile asks for and node_modules doesn't have as asked. npm writes what it installed
 * into `node_modules/.package-lock.json` as its last act, so an interrupted installation shows up here too.
 * Optional packages may be absent (another platform's), but not in another version.
 *
 * @param {Lockfile} wanted package-lock.json
 * @param {Lockfile} installed node_modules/.package-lock.json
 * @returns {string[]} paths such as `node_modules/zod`
 */
export function missingPackages(wanted, installed) {
  const there = installed.packages ?? {}
  return Object.entries(wanted.packages ?? {})
    .filter(([path]) => path.startsWith('node_modules/') || path.includes('/node_modules/'))
    .filter(([path, locked]) => !isSatisfied(locked, there[path]))
    .map(([path]) => path)
}

/**
 * @param {LockedPackage} locked
 * @param {LockedPackage | undefined} present
 */
function isSatisfied(locked, present) {
  if (!present) return locked.optional === true
  if (locked.link) return present.link === true && present.resolved === locked.resolved
  return present.version === locked.version && present.integrity === locked.integrity
}

/**
 * A path of our own to go back to; anything else becomes the default. What browsers read as another host (`//x`, `/\x`, a
 * scheme, control characters that they drop) is none of ours.
 */
export const ownPath = (given: string | undefined, otherwise: string): string => {
  if (given === undefined || given.length > 2000 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return otherwise
  if (given.includes('\\')) return otherwise
  const base = 'http://berth.invalid'
  const url = URL.canParse(given, base) ? new URL(given, base) : undefined
  if (url === undefined || url.origin !== base || url.pathname.startsWith('//')) return otherwise
  // Back to the sign-in would be a circle.
  if (/^\/(login|api)(\/|$)/.test(url.pathname)) return otherwise
  return `${url.pathname}${url.search}${url.hash}`
}

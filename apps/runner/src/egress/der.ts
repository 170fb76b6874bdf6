/** The few forms of ASN.1's DER that a certificate is made of. */
const length = (size: number): number[] => {
  if (size < 0x80) return [size]
  return size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
}

/** A value with its tag; at most 65,535 bytes. */
export const tagged = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...length(content.length)]), content])
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts)
export const set = (...parts: readonly Uint8Array[]): Buffer => tagged(0x31, ...parts)
export const octets = (bytes: Uint8Array): Buffer => tagged(0x04, bytes)
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text))
export const yes = Buffer.from([0x01, 0x01, 0xff])

/** A positive number of any size, most significant byte first. */
export const integer = (bytes: Uint8Array): Buffer =>
  tagged(0x02, Buffer.from((bytes[0] ?? 0) & 0x80 ? [0] : []), bytes)

/** `unused`: bits at the end that do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), bytes)

/** The part of a structure with this number, whole. */
export const explicit = (number: number, content: Uint8Array): Buffer => tagged(0xa0 | number, content)

/** An object identifier such as `2.5.29.15`. */
export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [40 * first + second, ...rest.flatMap(base128)]
  return tagged(0x06, Buffer.from(bytes))
}

const base128 = (value: number): number[] => {
  const digits = [value & 0x7f]
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}

/** A time between 1950 and 2049 as certificates have it. */
export const time = (at: Date): Buffer =>
  tagged(0x17, Buffer.from(`${at.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`))

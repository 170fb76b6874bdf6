import type { Readable } from 'node:stream'

/** Reads where a ref is from what a git server advertises; undefined: it does not name it. Rejects beyond `maxBytes`. */
export const advertisedCommit = async (
  body: Readable,
  { ref, maxBytes }: { ref: string; maxBytes: number },
): Promise<string | undefined> => {
  const quoted = ref.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const line = new RegExp(`([0-9a-f]{64}|[0-9a-f]{40}) ${quoted}[\\n\\0]`)
  let size = 0
  let tail = ''
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new RangeError(`more than ${maxBytes} bytes of refs`)
    const text = tail + Buffer.from(chunk).toString('latin1')
    const found = line.exec(text)?.[1]
    if (found !== undefined) return found
    tail = text.slice(-(ref.length + 80))
  }
  return undefined
}

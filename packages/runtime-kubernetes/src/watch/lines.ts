/** An object of a watch may be large, but not endless. */
const maxLineBytes = 8 * 2 ** 20

/** The lines of a stream, without the empty ones. Ending the loop cancels the stream. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > maxLineBytes) throw new Error('A line of the watch is too long.')
    for (const line of parts) if (line !== '') yield line
  }
  if (rest.trim() !== '') yield rest
}

/** Reads a stream to its end but keeps no more than `limit` bytes. */
export const collect = async (
  stream: AsyncIterable<Buffer>,
  limit: number,
  onOverflow: () => void,
): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      if (size < limit && size + chunk.length > limit) onOverflow()
      if (size < limit) chunks.push(chunk.subarray(0, limit - size))
      size += chunk.length
    }
  } catch {
    // A killed process may leave its pipe broken: what came before counts.
  }
  return Buffer.concat(chunks)
}

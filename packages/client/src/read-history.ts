import { type AnyEvent, parseEvent } from '@berth/contract'
import type { Bytes } from './call-types.ts'

/** Events of a stream of JSON lines, as they arrive. */
export async function* readHistory({ stream }: Bytes): AsyncGenerator<AnyEvent, void, undefined> {
  const reader = stream
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      const lines = (rest + (value ?? '')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') yield parseEvent(JSON.parse(line))
      if (done) break
    }
    if (rest !== '') yield parseEvent(JSON.parse(rest))
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

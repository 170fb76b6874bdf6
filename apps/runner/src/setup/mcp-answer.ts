import { createParser } from 'eventsource-parser'
import { maxMcpMessage } from './mcp-limits.ts'

/** The messages in the answer to one POST: a JSON document, or an event stream. Throws when it is cut or too long. */
export async function* messagesIn(response: Response): AsyncGenerator<unknown> {
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('text/event-stream')) yield* eventsIn(response)
  else if (type.startsWith('application/json')) {
    const parsed: unknown = JSON.parse(await boundedText(response))
    yield* Array.isArray(parsed) ? parsed : [parsed]
  } else {
    await response.body?.cancel()
    throw new Error(
      `The MCP server answered with ${type || 'no media type'} instead of JSON or an event stream.`,
    )
  }
}

async function* eventsIn(response: Response): AsyncGenerator<unknown> {
  const ready: unknown[] = []
  let fault: Error | undefined
  const parser = createParser({
    onEvent: ({ data }) => void (data !== '' && ready.push(JSON.parse(data))),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') fault = new Error(tooLong)
    },
    maxBufferSize: maxMcpMessage,
  })
  const decoder = new TextDecoder()
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    if (fault !== undefined) throw fault
    yield* ready.splice(0)
  }
}

const tooLong = `The MCP server wrote a message of more than ${maxMcpMessage} bytes.`

/** The beginning of an answer that says what went wrong. */
export const boundedText = async (response: Response): Promise<string> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxMcpMessage) throw new Error(tooLong)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

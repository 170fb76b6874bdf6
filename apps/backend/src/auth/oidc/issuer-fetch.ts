/** Bytes of an answer of the issuer: far more than any document of it has. */
const maxBytes = 1_000_000

/** Milliseconds that an issuer may take to answer. */
export const issuerMs = 10_000

interface Options {
  method?: string
  headers?: Headers | Record<string, string>
  body?: unknown
  signal?: AbortSignal | null
}

/** A fetch for requests to the issuer: bounded in time and size, and it follows no redirect. */
export const issuerFetch = async (url: string, options: Options = {}): Promise<Response> => {
  const timeout = AbortSignal.timeout(issuerMs)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  const response = await fetch(url, { ...(options as RequestInit), redirect: 'manual', signal })
  const bytes = await readBounded(response)
  const { status, statusText, headers } = response
  // These forbid a body, even an empty one.
  const hasBody = ![204, 205, 304].includes(status)
  return new Response(hasBody ? bytes : null, { status, statusText, headers: plain(headers) })
}

/** The body is decoded and whole by now. */
const plain = (headers: Headers): Headers => {
  const kept = new Headers(headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) kept.delete(name)
  return kept
}

const readBounded = async (response: Response): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new Error(`The issuer answered with more than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

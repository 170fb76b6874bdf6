/** Token counts as the API reports them. */
export interface Usage {
  input_tokens: number
  cache_creation_input_tokens: number
  cache_read_input_tokens: number
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number }
  output_tokens: number
  service_tier: 'standard'
}

/** A rough, stable estimate: four bytes of JSON or four characters of text a token, at least one. */
export function estimateTokens(size: number): number {
  return Math.max(1, Math.ceil(size / 4))
}

/** What the input of a request is made of, in bytes. */
export interface InputSize {
  total: number
  /** The last message alone; what precedes it counts as read from the cache once an answer was given. */
  last: number
  cached: boolean
  first: boolean
}

/** Splits the input as prompt caching would: written on the first request, read on those that follow. */
export function estimateUsage(input: InputSize, outputTokens: number): Usage {
  const all = estimateTokens(input.total)
  const fresh = input.cached ? Math.min(4, all) : all
  const last = Math.min(estimateTokens(input.last), all - fresh)
  const created = input.cached ? (input.first ? all - fresh : last) : 0
  return {
    input_tokens: fresh,
    cache_creation_input_tokens: created,
    cache_read_input_tokens: all - fresh - created,
    cache_creation: { ephemeral_5m_input_tokens: created, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    service_tier: 'standard',
  }
}

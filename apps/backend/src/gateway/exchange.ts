import type { ServerResponse } from 'node:http'
import type { ModelProvider, ModelRequest } from './providers/provider.ts'

/** A request that was let through, and all that is known about it. */
export interface Exchange {
  session: string
  project: string
  turn: string | undefined
  /** Whose budget it counts against. */
  user: string
  kind: 'live' | 'scripted'
  provider: ModelProvider
  request: ModelRequest
  response: ServerResponse
  /** Milliseconds since 1970. */
  started: number
  /** What it costs may keep the session from asking again. */
  hasBudget: boolean
}

/** A text without what must not be told. */
export const withoutSecrets = (text: string, { hidden }: Pick<ModelProvider, 'hidden'>): string => {
  let clean = text
  for (const secret of hidden) clean = clean.replaceAll(secret, '[key]')
  return clean
}

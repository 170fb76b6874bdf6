import type { ServerResponse } from 'node:http'

/** Why the gateway doesn't answer, in the shape of Anthropic's API. */
export interface Refusal {
  status: number
  type: string
  message: string
  /** The turn that was paused for it. */
  paused?: string
}

/** Answers with an error of the gateway's own; cuts an answer that has begun. */
export const refuse = (response: ServerResponse, { status, paused, ...error }: Refusal): void => {
  if (response.headersSent || response.destroyed) return void response.destroy()
  // The door waits and sends the request again when it is told so.
  const retry = status === 503 ? { 'berth-retry': '1' } : {}
  // The door interrupts the turn before the agent learns of the refusal: it is to go on one day, not to fail.
  const pause = paused === undefined ? {} : { 'berth-paused': paused }
  response.writeHead(status, { 'content-type': 'application/json', ...retry, ...pause })
  response.end(JSON.stringify({ type: 'error', error }))
}

import type { ServerResponse } from 'node:http'
import { BadFrame, type EgressAnswerHead, egressAnswerHead, HeadReader } from '@berth/contract'
import type { Dispatcher } from 'undici'
import { stream } from './relay.ts'

type Body = Dispatcher.ResponseData['body']

/** Passes the backend's answer on: the host's, or what the backend says of it. */
export const passAnswer = async (
  answer: Dispatcher.ResponseData,
  response: ServerResponse,
): Promise<void> => {
  response.sendDate = false
  if (answer.statusCode !== 200) return passProblem(answer, response)
  const pieces = answer.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const { head, rest } = await readHead(pieces)
  response.writeHead(head.status, head.headers.flat())
  await stream(following(rest, pieces), response)
}

const readHead = async (pieces: AsyncIterator<Buffer>) => {
  const reader = new HeadReader<EgressAnswerHead>(egressAnswerHead)
  for (;;) {
    const { done, value } = await pieces.next()
    if (done === true) throw new BadFrame('an answer without a head')
    const taken = reader.take(value)
    if (taken !== undefined) return taken
  }
}

async function* following(first: Uint8Array, pieces: AsyncIterator<Buffer>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first
  yield* { [Symbol.asyncIterator]: () => pieces }
}

/** Statuses that a program is told as they are; others say something about runner and backend alone. */
const told = new Set([403, 413, 429, 502])

const passProblem = async ({ statusCode, body }: Dispatcher.ResponseData, response: ServerResponse) => {
  const detail = await problemOf(body)
  refuseEgress(response, told.has(statusCode) ? statusCode : 502, detail)
}

const problemOf = async (body: Body): Promise<string> => {
  // A body that is no problem of Berth's (a proxy's page, or one that broke off) says nothing that a program should print.
  const problem: unknown = await body.json().catch(() => undefined)
  const { detail } = (problem ?? {}) as { detail?: unknown }
  return typeof detail === 'string' ? detail : 'The request could not be passed on.'
}

/** An answer of Berth's own, in words for whoever reads what a program prints. */
export const refuseEgress = (response: ServerResponse, status: number, message: string): void => {
  // The rest of a refused body is not read.
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'berth-answer': 'refused',
    connection: 'close',
  })
  response.end(`berth: ${message}\n`)
}

import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { EventStreamCodec } from '@smithy/core/event-streams'

export const awsCredentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-CANARY-of-aws' }

const codec = new EventStreamCodec(
  (input) => (typeof input === 'string' ? input : Buffer.from(input).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
)

const text = (value: string) => ({ type: 'string', value }) as const

/** An event of the model, as Bedrock frames it. */
export const chunkFrame = (event: object): Uint8Array =>
  codec.encode({
    headers: {
      ':event-type': text('chunk'),
      ':content-type': text('application/json'),
      ':message-type': text('event'),
    },
    body: Buffer.from(
      JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abcdefghij' }),
    ),
  })

/** An exception in the middle of a stream. */
export const exceptionFrame = (type: string, message: string): Uint8Array =>
  codec.encode({
    headers: { ':exception-type': text(type), ':message-type': text('exception') },
    body: Buffer.from(JSON.stringify({ message })),
  })

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

/** RFC 3986: what AWS encodes of each part of a path. */
const encodePart = (part: string): string =>
  encodeURIComponent(part).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/**
 * The signature of a request, computed from what arrived as the documentation of Signature Version 4 says, without the library
 * that made it. Undefined: what it claims is right; else what is wrong.
 */
const signatureProblem = (
  request: IncomingMessage,
  body: Buffer,
  { secretAccessKey, region }: { secretAccessKey: string; region: string },
): string | undefined => {
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
  const match = pattern.exec(request.headers.authorization ?? '')
  if (match === null) return `no signature: ${request.headers.authorization}`
  const [, id, date = '', scopeRegion, service, signed = '', signature] = match
  if (id !== awsCredentials.accessKeyId || scopeRegion !== region || service !== 'bedrock')
    return 'wrong scope'
  const names = signed.split(';')
  for (const needed of ['host', 'x-amz-date']) if (!names.includes(needed)) return `${needed} is not signed`
  const headers = names.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`).join('')
  const path = (request.url ?? '').split('/').map(encodePart).join('/')
  const canonical = ['POST', path, '', headers, signed, sha256(body)].join('\n')
  const at = String(request.headers['x-amz-date'])
  if (!at.startsWith(date)) return 'the dates differ'
  const toSign = ['AWS4-HMAC-SHA256', at, `${date}/${region}/bedrock/aws4_request`, sha256(canonical)].join(
    '\n',
  )
  const key = ['bedrock', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${secretAccessKey}`, date), region))
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'the signature is wrong'
}

export interface SeenByBedrock {
  url: string
  headers: IncomingMessage['headers']
  body: Record<string, unknown>
}

/** Answers like Bedrock to requests whose signature is right, and like Bedrock to others. */
export const fakeBedrock =
  (
    answer: (seen: SeenByBedrock, response: ServerResponse) => void | Promise<void>,
    expected: { secretAccessKey: string; region: string } = { ...awsCredentials, region: 'eu-central-1' },
  ) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request)
    const problem = signatureProblem(request, body, expected)
    if (problem !== undefined)
      return void response
        .writeHead(403, {
          'content-type': 'application/json',
          'x-amzn-errortype':
            'InvalidSignatureException:http://internal.amazon.com/coral/com.amazon.coral.service/',
        })
        .end(JSON.stringify({ message: problem }))
    const seen = { url: request.url ?? '', headers: request.headers, body: JSON.parse(body.toString('utf8')) }
    response.setHeader('x-amzn-requestid', 'req-1')
    await answer(seen, response)
  }

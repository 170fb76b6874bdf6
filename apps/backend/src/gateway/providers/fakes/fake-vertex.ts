import { createVerify, generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

export const accessToken = 'ya29.CANARY-access-token'

/** The JSON of a service account's key whose token endpoint is at this address. */
export const serviceAccount = (url: string, more: object = {}): string =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'my-project',
    private_key_id: 'key-1',
    private_key: privateKey,
    client_email: 'berth@my-project.iam.gserviceaccount.com',
    token_uri: `${url}/token`,
    ...more,
  })

const part = (value: string | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(value ?? '', 'base64url').toString('utf8'))

/** What is wrong with an assertion; undefined: nothing. */
const assertionProblem = (assertion: string, audience: string): string | undefined => {
  const [header, claims, signature = ''] = assertion.split('.')
  const valid = createVerify('RSA-SHA256')
    .update(`${header}.${claims}`)
    .verify(publicKey, Buffer.from(signature, 'base64url'))
  if (!valid) return 'Invalid JWT Signature.'
  const { alg, kid } = part(header)
  if (alg !== 'RS256' || kid !== 'key-1') return 'Invalid JWT header.'
  const { iss, aud, scope, iat, exp } = part(claims)
  if (iss !== 'berth@my-project.iam.gserviceaccount.com' || aud !== audience)
    return 'Invalid issuer or audience.'
  if (scope !== 'https://www.googleapis.com/auth/cloud-platform') return 'Invalid scope.'
  return Number(exp) - Number(iat) <= 3600 ? undefined : 'The token lives too long.'
}

export interface SeenByVertex {
  url: string
  headers: IncomingMessage['headers']
  body: Record<string, unknown>
}

/** Google's token endpoint and Vertex AI in one: a token for a rightly signed assertion, answers for that token alone. */
export const fakeVertex = (
  answer: (seen: SeenByVertex, response: ServerResponse) => void | Promise<void>,
  grant: { seconds: number } = { seconds: 3600 },
) => {
  const world = { tokens: 0 }
  const handler = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request)
    const json = (status: number, value: object) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.url === '/token') {
      const form = new URLSearchParams(body)
      const wrong =
        form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
          ? assertionProblem(form.get('assertion') ?? '', `http://${request.headers.host}/token`)
          : 'Invalid grant.'
      if (wrong !== undefined) return json(400, { error: 'invalid_grant', error_description: wrong })
      world.tokens += 1
      return json(200, { access_token: accessToken, expires_in: grant.seconds, token_type: 'Bearer' })
    }
    if (request.headers.authorization !== `Bearer ${accessToken}`)
      return json(401, { error: { code: 401, status: 'UNAUTHENTICATED', message: 'Invalid credentials' } })
    await answer({ url: request.url ?? '', headers: request.headers, body: JSON.parse(body) }, response)
  }
  return { handler, world }
}

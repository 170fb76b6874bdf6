import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Configuration } from 'openid-client'
import { ExitError } from '../exit-code.ts'
import { oidc, reason } from './issuer-client.ts'

/** A person has to find the password in it. */
const patienceMs = 5 * 60_000

export interface BrowserFlow {
  scopes: readonly string[]
  /** Shows the person where to go. */
  show: (url: string) => void
  /** Aborts it, as Ctrl-C does. */
  signal: AbortSignal
}

/** Authorization code with PKCE: the browser comes back to a port of this machine that nobody else knows of. */
export const browserFlow = async (config: Configuration, { scopes, show, signal }: BrowserFlow) => {
  const client = await oidc()
  const verifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const redirect = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`
  try {
    const back = comesBack(server, { redirect, state, signal })
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: redirect,
      scope: scopes.join(' '),
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...{ state, nonce },
    })
    show(url.href)
    return await client
      .authorizationCodeGrant(config, await back, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
        idTokenExpected: true,
      })
      .catch((error: unknown) => {
        throw new ExitError('refused', `The issuer did not sign you in: ${reason(error)}`)
      })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** What the terminal says is only known when the code has been redeemed. */
const cameBack = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign-in · Berth</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto; padding: 0 1.25rem }
h1 { font-size: 1.4rem }
</style>
<h1>Back to the terminal</h1>
<p>It says who you are now. You can close this page.</p>
`

/** The address with which the browser came back; anybody else who finds the port is sent away. */
const comesBack = (
  server: Server,
  { redirect, state, signal }: { redirect: string; state: string; signal: AbortSignal },
): Promise<URL> => {
  const { promise, resolve, reject } = Promise.withResolvers<URL>()
  // Whoever waits for it is told; a refusal before anybody waits must not end the process as one that nobody handles.
  promise.catch(() => undefined)
  const timer = setTimeout(
    () => reject(new ExitError('refused', 'Nobody signed in within five minutes. Nothing was changed.')),
    patienceMs,
  )
  const abort = () => reject(new ExitError('interrupted', 'Signing in was given up. Nothing was changed.'))
  signal.addEventListener('abort', abort, { once: true })
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', redirect)
    const isOurs = url.pathname === '/callback' && url.searchParams.get('state') === state
    response.writeHead(isOurs ? 200 : 404, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      connection: 'close',
    })
    response.end(isOurs ? cameBack : '')
    if (isOurs) response.on('close', () => resolve(url))
  })
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  })
}

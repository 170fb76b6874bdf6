import type { Configuration } from 'openid-client'
import { ExitError } from '../exit-code.ts'
import { oidc, reason } from './issuer-client.ts'

export interface DeviceFlow {
  scopes: readonly string[]
  /** Shows the person where to go with any browser, and what to type there. */
  show: (where: { url: string; code: string; link: string | undefined }) => void
  signal: AbortSignal
}

/** The device flow: the person signs in with a browser on another machine. */
export const deviceFlow = async (config: Configuration, { scopes, show, signal }: DeviceFlow) => {
  const client = await oidc()
  if (config.serverMetadata().device_authorization_endpoint === undefined)
    throw new ExitError('refused', 'The issuer has no device flow. Sign in with a browser on this machine.')
  try {
    const begun = await client.initiateDeviceAuthorization(config, { scope: scopes.join(' ') })
    show({ url: begun.verification_uri, code: begun.user_code, link: begun.verification_uri_complete })
    return await client.pollDeviceAuthorizationGrant(config, begun, undefined, { signal })
  } catch (error) {
    if (signal.aborted) throw new ExitError('interrupted', 'Signing in was given up. Nothing was changed.')
    throw new ExitError('refused', `The issuer did not sign you in: ${reason(error)}`)
  }
}

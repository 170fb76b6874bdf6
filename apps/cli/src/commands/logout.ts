import type { Command } from 'commander'
import { urlOf } from '../connection.ts'
import type { Context } from '../context.ts'
import { discover, oidc } from '../login/issuer-client.ts'
import { changeLogin } from '../login/stored-logins.ts'

export const addLogout = (program: Command, context: Context): void => {
  program
    .command('logout')
    .summary('forget the sign-in at a Berth')
    .description('Removes the tokens of `berth login`, and tells the issuer to take them back.')
    .argument('[url]', 'where the Berth is (default: BERTH_URL, or this machine)')
    .action((url: string | undefined) => signOut(context, (url ?? urlOf(context.env)).replace(/\/+$/, '')))
}

const signOut = async ({ env, out }: Context, url: string): Promise<void> => {
  let was: 'none' | 'forgotten' | 'revoked' = 'none'
  await changeLogin(env, url, async (login) => {
    if (login === undefined) return undefined
    was =
      login.kind === 'oidc' && login.refresh && (await revoke(login, login.refresh)) ? 'revoked' : 'forgotten'
    return undefined
  })
  const said = {
    none: `You are not signed in at ${url}.`,
    forgotten: `Signed out at ${url}: its tokens are removed from this machine.`,
    revoked: `Signed out at ${url}: its tokens are removed from this machine, and no longer taken by the issuer.`,
  }
  out.line(said[was])
}

/** What the issuer can't be told ends by itself. */
const revoke = async (login: { issuer: string; clientId: string }, token: string): Promise<boolean> => {
  const client = await oidc()
  try {
    const config = await discover(login.issuer, login.clientId)
    if (config.serverMetadata().revocation_endpoint === undefined) return false
    await client.tokenRevocation(config, token)
    return true
  } catch {
    return false
  }
}

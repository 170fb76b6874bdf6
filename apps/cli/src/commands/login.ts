import { createClient } from '@berth/client'
import type { SignInWays } from '@berth/contract'
import type { Command } from 'commander'
import { urlOf } from '../connection.ts'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { browserFlow } from '../login/browser-flow.ts'
import { deviceFlow } from '../login/device-flow.ts'
import { discover, isLoopbackUrl, loginOf } from '../login/issuer-client.ts'
import { changeLogin, type Login } from '../login/stored-logins.ts'
import { examples } from '../options.ts'
import { safeLine } from '../terminal/safe-text.ts'

interface LoginOptions {
  device?: boolean
  tokenStdin?: boolean
}

export const addLogin = (program: Command, context: Context): void => {
  const login = program
    .command('login')
    .summary('sign in at a Berth')
    .description(
      'Signs you in through the issuer that a Berth trusts, and keeps the tokens in the configuration directory, readable by you only. Other commands renew them by themselves.',
    )
    .argument('[url]', 'where the Berth is (default: BERTH_URL, or this machine)')
    .option('--device', 'sign in with a browser of another machine')
    .option('--token-stdin', 'keep a token that is read from standard input, such as an API key')
    .action((url: string | undefined, options: LoginOptions) => signIn(context, url, options))
  examples(login, [
    'berth login https://berth.example.com',
    'berth login --device',
    'berth login --token-stdin < key.txt',
  ])
}

const signIn = async (context: Context, given: string | undefined, options: LoginOptions): Promise<void> => {
  const url = placeOf(given ?? urlOf(context.env))
  const login = options.tokenStdin === true ? await typed(context) : await atIssuer(context, url, options)
  const client = createClient({ baseUrl: url, token: login.token, headers: { 'user-agent': 'berth-cli' } })
  const { principal } = await client.getMe()
  await changeLogin(context.env, url, async () => login)
  const name = principal.name === undefined ? '' : ` (${safeLine(principal.name)})`
  context.out.line(`You are ${safeLine(principal.id)}${name} at ${url}.`)
  if (url !== urlOf(context.env)) context.err.line(`Commands go there with: export BERTH_URL=${url}`)
  if (context.env.BERTH_TOKEN)
    context.err.line('BERTH_TOKEN is set, and counts before this login: unset it to use it.')
}

/** A token is only sent where nobody on the way can read it. */
const placeOf = (given: string): string => {
  const url = given.replace(/\/+$/, '')
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new ExitError('usage', `${url} is not an http or https URL.`)
  if (new URL(url).protocol === 'http:' && !isLoopbackUrl(url))
    throw new ExitError('usage', `${url} is not https: whoever is on the way could sign in as you.`)
  return url
}

const typed = async ({ readInput }: Context): Promise<Login> => {
  const token = (await readInput()).trim()
  if (!/^[\x21-\x7e]{16,16000}$/.test(token))
    throw new ExitError('usage', 'That is no token: expected one line without spaces. Nothing was changed.')
  return { kind: 'token', token }
}

const atIssuer = async (context: Context, url: string, { device }: LoginOptions): Promise<Login> => {
  const { issuer, clientId, scopes } = placeIn(url, await createClient({ baseUrl: url }).getSignIn())
  const config = await discover(issuer, clientId)
  const abort = new AbortController()
  const leave = context.onInterrupt(() => abort.abort())
  const { signal } = abort
  try {
    const tokens =
      device === true
        ? await deviceFlow(config, { scopes, signal, show: (where) => showCode(context, where) })
        : await browserFlow(config, { scopes, signal, show: (page) => showPage(context, page) })
    return loginOf({ issuer, clientId }, tokens)
  } finally {
    leave()
  }
}

const placeIn = (url: string, { oidc }: SignInWays) => {
  const keys = 'With an API key: berth login --token-stdin'
  if (oidc === undefined)
    throw new ExitError('refused', `The Berth at ${url} knows no issuer to sign in at. ${keys}`)
  if (oidc.cliClientId === undefined)
    throw new ExitError(
      'refused',
      `The Berth at ${url} names no client for command lines (an operator sets BERTH_OIDC_CLI_CLIENT_ID). ${keys}`,
    )
  return { issuer: oidc.issuer, clientId: oidc.cliClientId, scopes: oidc.scopes }
}

const showPage = ({ err, openPage }: Context, page: string): void => {
  err.line(openPage === undefined ? 'Open this page to sign in:' : 'The browser opens this page:')
  err.line(`  ${safeLine(page)}`)
  if (openPage === undefined)
    err.line('  The browser has to be on this machine; if it is not: berth login --device')
  openPage?.(page)
}

const showCode = ({ err }: Context, where: { url: string; code: string; link: string | undefined }): void => {
  err.line(`Open ${safeLine(where.url)} in any browser and type the code ${safeLine(where.code)}`)
  if (where.link !== undefined) err.line(`  or open ${safeLine(where.link)}`)
}

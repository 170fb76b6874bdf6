/** The way to git servers for whoever has no other: Berth's git proxy, which knows the session by its token. */
export interface GitProxy {
  /** Its address; below it come scheme, host and path. */
  url: string
  /** In the environment of git alone, which only this user can read; never on a command line. */
  token: string
  /** Milliseconds for which it may be away. Default: 10 minutes. */
  patienceMs?: number
  /** First and longest wait between tries, in ms. Default: 200 and 3000. */
  delaysMs?: { first: number; longest: number }
}

const schemes = ['https', 'http'] as const

/** Settings of git as variables: no other user can read them, as they could an argument. */
export const configEnvironment = (config: readonly [string, string][]): Record<string, string> => ({
  GIT_CONFIG_COUNT: String(config.length),
  ...Object.fromEntries(
    config.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ),
})

/** What makes git ask the proxy for every URL, with nothing of this machine's configuration. */
export const proxyEnvironment = ({ url, token }: GitProxy): Record<string, string> => {
  const config: [string, string][] = [
    ...schemes.map((scheme): [string, string] => [`url.${url}/${scheme}/.insteadOf`, `${scheme}://`]),
    [`http.${url}/.extraHeader`, `Authorization: Bearer ${token}`],
    ['http.proxy', ''],
  ]
  return {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ALLOW_PROTOCOL: schemes.join(':'),
    ...configEnvironment(config),
  }
}

/** What git printed, with the addresses that people know. */
export const withoutProxy = (text: string, { url }: GitProxy): string =>
  schemes.reduce((result, scheme) => result.replaceAll(`${url}/${scheme}/`, `${scheme}://`), text)

const away =
  /Failed to connect|Couldn't connect|Connection refused|Could not resolve host|returned error: 503/i
const cut =
  /Recv failure|Empty reply from server|RPC failed|unexpected disconnect|early EOF|hung up unexpectedly|transfer closed/i

/** Did git fail because the proxy was away, or went away in the middle? Then asking again may help. */
export const proxyAbsence = (stderr: string): 'away' | 'cut' | undefined => {
  if (away.test(stderr)) return 'away'
  return cut.test(stderr) && !toldBy(stderr) ? 'cut' : undefined
}

/** The reason that the proxy itself gave, if there is one. */
export const toldBy = (stderr: string): string | undefined =>
  /^(?:remote: |fatal: remote error: )berth: (.+)$/m.exec(stderr)?.[1]

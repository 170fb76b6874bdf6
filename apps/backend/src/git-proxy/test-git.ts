import { execFile } from 'node:child_process'
import type { TestBackend } from '../test-backend.ts'

export interface Ended {
  ok: boolean
  /** What it printed, on both ways. */
  said: string
}

/** Runs git in a directory as an agent does: every URL goes through the proxy, with the runner's token. */
export const gitThrough = (
  { runnerUrl }: Pick<TestBackend, 'runnerUrl'>,
  token: string,
  [directory, ...args]: readonly [string, ...string[]],
): Promise<Ended> => {
  const config = [
    ...['https', 'http'].map((scheme) => [
      `url.${runnerUrl}/runner/git/${scheme}/.insteadOf`,
      `${scheme}://`,
    ]),
    [`http.${runnerUrl}/.extraHeader`, `Authorization: Bearer ${token}`],
    ['user.name', 'Ada'],
    ['user.email', 'ada@example.com'],
  ]
  const pairs = config.flatMap(([key = '', value = ''], i) => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ])
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(pairs),
  }
  return new Promise((resolve) =>
    execFile('git', ['-C', directory, ...args], { env }, (error, stdout, stderr) =>
      resolve({ ok: error === null, said: `${stdout}${stderr}` }),
    ),
  )
}

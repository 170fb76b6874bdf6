import type { Layout } from '../layout.ts'

/** The directory of git's remote helper `git-remote-berth` inside; on the agent's PATH. */
export const helperDirectory = '/opt/berth/bin'

/** Which kinds of addresses git hands to the helper. */
const config: [string, string][] = [
  ['url.berth::https://.insteadOf', 'https://'],
  ['url.berth::http://.insteadOf', 'http://'],
  ['protocol.berth.allow', 'always'],
]

/**
 * What makes the agent's git reach git servers by the door, after whatever git settings the environment brings already. Without
 * a sandbox git goes out by itself.
 */
export const gitEnvironment = (
  inside: Layout['inside'],
  given: Readonly<Record<string, string>>,
): Record<string, string> => {
  if (inside.tools === '') return {}
  const before = /^\d{1,3}$/.test(given.GIT_CONFIG_COUNT ?? '') ? Number(given.GIT_CONFIG_COUNT) : 0
  return {
    BERTH_DOOR: inside.door,
    GIT_CONFIG_COUNT: String(before + config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], i) => [
        [`GIT_CONFIG_KEY_${before + i}`, key],
        [`GIT_CONFIG_VALUE_${before + i}`, value],
      ]),
    ),
  }
}

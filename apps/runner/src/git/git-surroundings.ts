import type { RunnerClient } from '@berth/client'
import { hasGitCredential } from '@berth/contract'
import type { GitSurroundings } from '@berth/git'
import type { Config } from '../config.ts'

type Inherited = Readonly<Record<string, string | undefined>>

/** How the runner's own git reaches remotes: as the operator's would, or through the backend. */
export const gitSurroundings = (
  { git, path, home, backendUrl, token }: Config,
  inherited: Inherited,
): GitSurroundings => ({
  path,
  home,
  inherited,
  ...(git === 'proxy' ? { proxy: { url: `${backendUrl}/runner/git`, token } } : {}),
})

/**
 * How it reaches one remote: through the backend also where the project has a credential for its host, which only the backend
 * knows. Asked for each time, since the project's settings change.
 */
export const surroundingsFor =
  (config: Config, home: Pick<RunnerClient, 'settings'>, inherited: Inherited) =>
  async (url: string): Promise<GitSurroundings> => {
    if (config.git === 'proxy' || !/^https?:/i.test(url)) return gitSurroundings(config, inherited)
    const { settings } = await home.settings()
    const git = hasGitCredential(url, settings) ? 'proxy' : config.git
    return gitSurroundings({ ...config, git }, inherited)
  }

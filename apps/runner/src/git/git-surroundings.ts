import type { GitSurroundings } from '@berth/git'
import type { Config } from '../config.ts'

/** How the runner's own git reaches remotes: as the operator's would, or through the backend. */
export const gitSurroundings = (
  { git, path, home, backendUrl, token }: Config,
  inherited: Readonly<Record<string, string | undefined>>,
): GitSurroundings => ({
  path,
  home,
  inherited,
  ...(git === 'proxy' ? { proxy: { url: `${backendUrl}/runner/git`, token } } : {}),
})

import type { EffectiveSettings } from '@berth/contract'
import { maskHeaders } from '../mcp/mask-headers.ts'
import type { RunnerIdentity } from '../store/port.ts'
import type { Deps } from './deps.ts'

/**
 * Settings as a runner is given them: without headers that only the backend sends, and with the secrets that the project shows
 * its agents as variables. They travel no further than the runner's memory and the agent's environment.
 */
export const withSecrets = async (
  { secrets }: Deps,
  { project, session }: RunnerIdentity,
  settings: EffectiveSettings,
): Promise<EffectiveSettings> => {
  const actor = { kind: 'runner' as const, id: session }
  const shown = await secrets.environment({ project, session, actor })
  return { ...maskHeaders(settings), env: { ...settings.env, ...shown } }
}

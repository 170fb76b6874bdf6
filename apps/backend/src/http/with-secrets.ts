import type { EffectiveSettings } from '@berth/contract'
import { maskHeaders } from '../mcp/mask-headers.ts'
import { backendActor } from '../session/decide.ts'
import type { RunnerIdentity } from '../store/port.ts'
import type { Deps } from './deps.ts'

/**
 * Settings as a runner is given them: without headers that only the backend sends, and with the secrets that the project shows
 * its agents as variables; the session's log tells which. They travel no further than the runner's memory and the agent's environment.
 */
export const withSecrets = async (
  { secrets, service }: Deps,
  { project, session }: RunnerIdentity,
  settings: EffectiveSettings,
): Promise<EffectiveSettings> => {
  const actor = { kind: 'runner' as const, id: session }
  const shown = await secrets.environment({ project, session, actor })
  const told = Object.entries(shown).map(([variable, { name }]) => ({ name, variable }))
  const command = { kind: 'show-secrets' as const, actor: backendActor, secrets: told }
  await service.run({ session, project, command })
  const values = Object.entries(shown).map(([variable, { value }]) => [variable, value])
  return { ...maskHeaders(settings), env: { ...settings.env, ...Object.fromEntries(values) } }
}

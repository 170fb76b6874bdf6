import type { EffectiveSettings, SettingName } from '@berth/contract'

/** The settings that Claude Code is set up with; all others are the runner's or the backend's own. */
const agentSettings = [
  'model',
  'fallbackModel',
  'smallModel',
  'effort',
  'thinkingTokens',
  'allow',
  'ask',
  'deny',
  'otherwise',
  'permissionMode',
  'tools',
  'instructions',
  'agents',
  'commands',
  'skills',
  'hooks',
  'mcpServers',
  'disabledMcpServers',
  'env',
  'workflow',
  'repositoryConfig',
  'repositoryHooks',
  'repositoryMcp',
  'maxSteps',
] as const satisfies readonly SettingName[]

/** The names of the agent's settings that differ. */
export const changedSettings = (before: EffectiveSettings, after: EffectiveSettings): SettingName[] => [
  ...agentSettings.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])),
  // What the rules say counts at once, at the backend. Whether there are any decides how programs are set up.
  ...(before.egress.length > 0 === after.egress.length > 0 ? [] : (['egress'] as const)),
]

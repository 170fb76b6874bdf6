import type { RunnerLimits, RuntimeFinding } from '@berth/runtime'
import type { CompiledOptions } from '../options/schema.ts'
import { amountOf } from '../options/values.ts'
import { resourcesOf } from '../specs/container-resources.ts'

/** Amounts by the names that a ResourceQuota uses. */
type Amounts = Record<string, string>

/** What one session takes of a quota while it lives. */
export const needOf = (
  options: CompiledOptions,
  limits: Pick<RunnerLimits, 'memoryBytes' | 'milliCpus'>,
): Record<string, number> => {
  const { runner, workspace, agent } = resourcesOf(options, limits)
  const sum = (what: 'requests' | 'limits', of: string) =>
    [runner, workspace, agent].reduce((all, share) => all + amountOf(share[what]?.[of] ?? '0'), 0)
  const need: Record<string, number> = {
    pods: 1,
    'count/pods': 1,
    'count/jobs.batch': 1,
    'count/secrets': 1,
    secrets: 1,
  }
  for (const kind of ['cpu', 'memory', 'ephemeral-storage']) {
    need[`requests.${kind}`] = sum('requests', kind)
    need[kind] = sum('requests', kind)
    need[`limits.${kind}`] = sum('limits', kind)
  }
  return need
}

/** How many more sessions a quota has room for, by what runs out first. */
export const quotaFinding = (
  namespace: string,
  { hard = {}, used = {} }: { hard?: Amounts; used?: Amounts },
  need: Record<string, number>,
): RuntimeFinding => {
  const rooms = Object.entries(hard).flatMap(([resource, most]) => {
    const each = need[resource] ?? 0
    if (each === 0) return []
    const left = Math.max(0, amountOf(most) - amountOf(used[resource] ?? '0'))
    return [
      { sessions: Math.floor(left / each), text: `${resource}: ${used[resource] ?? '0'} of ${most} used` },
    ]
  })
  const [tightest] = rooms.sort((one, other) => one.sessions - other.sessions)
  const name = 'room'
  if (tightest === undefined) return { name, state: 'ok', detail: `no quota in ${namespace} limits sessions` }
  const { sessions, text } = tightest
  const detail = `the quota of ${namespace} has room for ${sessions} more session${sessions === 1 ? '' : 's'} (${text})`
  if (sessions >= 2) return { name, state: 'ok', detail }
  return {
    name,
    state: sessions === 0 ? 'fail' : 'warn',
    detail,
    repair: "Raise quota.hard in the backend's options for the cluster, or stop sessions of the project.",
  }
}

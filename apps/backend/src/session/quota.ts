import { BerthError, type EffectiveSettings, type FieldError } from '@berth/contract'

const quotas = [
  { setting: 'memoryMiB', quota: 'quotaMemoryMiB', unit: 'MiB' },
  { setting: 'cpus', quota: 'quotaCpus', unit: 'cores' },
] as const

type Setting = (typeof quotas)[number]['setting']
type Values = Pick<EffectiveSettings, (typeof quotas)[number]['setting' | 'quota']>

/**
 * Rejects a session that wants more than a whole quota of its project, because it could never start. `field` is where its
 * settings stand, with a dot at the end.
 */
export const checkQuotas = (
  values: Values,
  field: string,
  settings: readonly Setting[] = ['memoryMiB', 'cpus'],
): void => {
  const problems = quotas.flatMap(({ setting, quota, unit }): FieldError[] => {
    const [wanted, limit] = [values[setting], values[quota] ?? Infinity]
    if (wanted <= limit || !settings.includes(setting)) return []
    const message = `the session wants ${wanted} ${unit}, and all sessions of the project together may have ${limit} ${unit} (${quota}): ask for less, or have an admin of the project raise the quota`
    return [{ field: `${field}${setting}`, message }]
  })
  if (problems.length > 0) throw new BerthError('invalid_input', 'The session could never start.', problems)
}

import { BerthError, type EffectiveSettings } from '@berth/contract'

/** Rejects a session that wants more than the whole quota of its project, because it could never start. */
export const checkQuota = (
  { memoryMiB, quotaMemoryMiB }: Pick<EffectiveSettings, 'memoryMiB' | 'quotaMemoryMiB'>,
  field: string,
): void => {
  if (quotaMemoryMiB === undefined || memoryMiB <= quotaMemoryMiB) return
  const message = `the session wants ${memoryMiB} MiB, and all sessions of the project together may have ${quotaMemoryMiB} MiB (quotaMemoryMiB): ask for less, or have an admin of the project raise the quota`
  throw new BerthError('invalid_input', 'The session could never start.', [{ field, message }])
}

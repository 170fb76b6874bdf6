import { z } from 'zod'
import { aboveMaxima, type OperatorSettings } from './operator.ts'
import type { EffectiveSettings, SettingName, Settings } from './settings.ts'

/** Where a value comes from. */
export const settingOrigin = z.enum(['session', 'project', 'operator', 'platform'])
export type SettingOrigin = z.infer<typeof settingOrigin>

export interface SettingLayers {
  session?: Settings
  project?: Settings
  /** Default: none set anything. */
  operator?: OperatorSettings
  platform: EffectiveSettings
}

type Merge = (below: never, above: never) => unknown

const byName: Merge = (below: object, above: object) => ({ ...below, ...above })
const union: Merge = (below: string[], above: string[]) => [...new Set([...below, ...above])]

/** Settings whose layers add up instead of replacing each other. Lists of names add up, so that nobody lifts a `deny`. */
const merges: Partial<Record<SettingName, Merge>> = {
  deny: union,
  disabledMcpServers: union,
  instructions: (below: string, above: string) => [below, above].filter((text) => text !== '').join('\n\n'),
  agents: byName,
  commands: byName,
  skills: byName,
  mcpServers: byName,
  env: byName,
  hooks: (below: Record<string, unknown[]>, above: Record<string, unknown[]>) => {
    const events = [...new Set([...Object.keys(below), ...Object.keys(above)])]
    return Object.fromEntries(
      events.map((event) => [event, [...(below[event] ?? []), ...(above[event] ?? [])]]),
    )
  },
}

/**
 * The value that counts for each setting, and where it comes from: of those that add up, the uppermost layer that
 * adds something; of those that are more than the operator allows, the operator.
 */
export const resolveSettings = ({ session, project, operator, platform }: SettingLayers) => {
  const origins: Partial<Record<SettingName, SettingOrigin>> = {}
  const values: Record<string, unknown> = {}
  for (const [origin, layer] of Object.entries({ platform, operator: operator?.defaults, project, session }))
    for (const [key, value] of Object.entries(layer ?? {})) {
      if (value === undefined) continue
      const name = key as SettingName
      const merge = merges[name] as ((below: unknown, above: unknown) => unknown) | undefined
      values[name] = merge !== undefined && name in values ? merge(values[name], value) : value
      origins[name] = origin as SettingOrigin
    }
  const maxima = operator?.maxima ?? {}
  const unset = Object.entries(maxima).flatMap(([key, most]) =>
    key in values ? [] : [{ name: key as SettingName, most }],
  )
  for (const { name, most } of [...aboveMaxima(values, maxima), ...unset]) {
    values[name] = most
    origins[name] = 'operator'
  }
  return { values: values as unknown as EffectiveSettings, origins }
}

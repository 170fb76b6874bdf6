import { z } from 'zod'
import { limits } from './limits.ts'

const rules = z.array(z.string().min(1).max(limits.permissionRule)).max(limits.permissionRules)

/** Model names are the upstream's; here only their form is checked. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/[\]-]{0,127}$/, 'expected a model name such as claude-sonnet-4-5')

/**
 * What a project or session may set. Every field is optional: the session's value counts before the project's, and
 * that before the platform's.
 */
export const settings = z.strictObject({
  /** Model of new turns. */
  model: modelName.optional(),
  /** Models that the gateway lets through; `*` as the last character matches any rest. Empty: any. */
  allowedModels: z.array(z.string().min(1).max(128)).max(100).optional(),
  /** Tools that run without asking, in Claude Code's rule syntax, e.g. `Bash(npm test:*)`. */
  allow: rules.optional(),
  /** Tools for which a person is asked first; counts before `allow`. */
  ask: rules.optional(),
  /** Tools that never run; counts before everything. */
  deny: rules.optional(),
  /** What happens to a tool that no rule names. */
  otherwise: z.enum(['allow', 'ask', 'deny']).optional(),
  /** Text that is added to the system prompt of every session. */
  instructions: z.string().max(limits.instructions).optional(),
  /** Memory of the agent and all that it starts, in MiB. */
  memoryMiB: z.number().int().min(512).max(262_144).optional(),
  /** Processes and threads that the agent may have at once. */
  processes: z.number().int().min(64).max(65_536).optional(),
  /** Minutes after which a turn is interrupted. */
  turnMinutes: z.number().int().min(1).max(1440).optional(),
  /** Hours for which a deleted session can be restored. */
  undoHours: z.number().min(0).max(720).optional(),
})

export type Settings = z.infer<typeof settings>
export type SettingName = keyof Settings

/** What a session may set for itself: never what protects the project. */
export const sessionSettings = settings.omit({ allowedModels: true, undoHours: true })

/** Every setting with its value; without a model, the upstream's default is used. */
export const effectiveSettings = settings.required().extend({ model: modelName.optional() })
export type EffectiveSettings = z.infer<typeof effectiveSettings>

/** What counts where neither session nor project says otherwise. */
export const platformSettings: EffectiveSettings = {
  allowedModels: [],
  allow: [],
  ask: [],
  deny: [],
  otherwise: 'allow',
  instructions: '',
  memoryMiB: 4096,
  processes: 1024,
  turnMinutes: 60,
  undoHours: 24,
}

/** Where a value comes from. */
export const settingOrigin = z.enum(['session', 'project', 'platform'])
export type SettingOrigin = z.infer<typeof settingOrigin>

export interface SettingLayers {
  session?: Settings
  project?: Settings
  platform: EffectiveSettings
}

/**
 * The value that counts for each setting, and where it comes from. `deny` is the union of all layers, so that a
 * session can't lift what its project forbids.
 */
export const resolveSettings = ({ session, project, platform }: SettingLayers) => {
  const origins: Partial<Record<SettingName, SettingOrigin>> = {}
  const values: Record<string, unknown> = {}
  for (const [origin, layer] of Object.entries({ platform, project, session }))
    for (const [name, value] of Object.entries(layer ?? {}))
      if (value !== undefined) {
        values[name] = value
        origins[name as SettingName] = origin as SettingOrigin
      }
  values.deny = [...new Set([platform, project, session].flatMap((layer) => layer?.deny ?? []))]
  return { values: effectiveSettings.parse(values), origins }
}

import {
  type OperatorSettings,
  operatorSettings,
  platformSettings,
  resolveSettings,
  type Settings,
} from '@berth/contract'
import { readOperatorFile } from '../operator-file.ts'

/** What the operator sets for all projects. Throws one error that names every bad entry. */
export const loadOperatorSettings = async (
  file: string | undefined,
): Promise<OperatorSettings | undefined> =>
  file === undefined
    ? undefined
    : readOperatorFile(file, {
        what: 'The settings',
        variable: 'BERTH_SETTINGS',
        schema: operatorSettings,
      })

/** How the settings of a session of a project are found; without a session's own, those of the project. */
export const settingsResolver =
  (operator?: OperatorSettings) =>
  (project: Settings = {}, session: Settings = {}) =>
    resolveSettings({ session, project, operator, platform: platformSettings })

export type SettingsOf = ReturnType<typeof settingsResolver>

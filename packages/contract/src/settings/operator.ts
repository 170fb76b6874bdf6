import { z } from 'zod'
import { projectBudgetNames } from './budgets.ts'
import { type SettingName, type Settings, settings } from './settings.ts'

/** What an operator sets for all projects of an installation. */
export const operatorSettings = z
  .strictObject({
    /** What counts where neither session nor project says otherwise, in place of Berth's own defaults. */
    defaults: settings
      // Those that name secrets of a project.
      .omit({ modelProvider: true, gitCredentials: true })
      .prefault({}),
    /**
     * The most that a project or session may set. Where nobody sets anything, and Berth's own default is more or there is none,
     * this counts.
     */
    maxima: settings
      .pick({
        memoryMiB: true,
        cpus: true,
        processes: true,
        checkpointFiles: true,
        checkpointMiB: true,
        turnMinutes: true,
        deadlineMinutes: true,
        maxSteps: true,
        maxTurns: true,
        idleMinutes: true,
        liveSessions: true,
        quotaMemoryMiB: true,
        quotaCpus: true,
        undoHours: true,
        ...projectBudgetNames,
      })
      .prefault({}),
  })
  .superRefine(({ defaults, maxima }, context) => {
    for (const { name, most } of aboveMaxima(defaults, maxima))
      context.addIssue({
        code: 'custom',
        path: ['defaults', name],
        message: `is more than maxima.${name}, ${most}`,
      })
  })

export type OperatorSettings = z.output<typeof operatorSettings>
export type Maxima = OperatorSettings['maxima']

/** What stands for no limit at all, instead of for a small one. */
const unlimited: Partial<Record<SettingName, number>> = { idleMinutes: 0 }

/** Which settings are more than they may be. What is not set is not. */
export const aboveMaxima = (values: Settings, maxima: Maxima): { name: keyof Maxima; most: number }[] =>
  Object.entries(maxima).flatMap(([key, most]) => {
    const name = key as keyof Maxima
    const value = values[name]
    if (most === undefined || value === undefined || value === null) return []
    const isMore = value > most || (value === unlimited[name] && most !== unlimited[name])
    return isMore && most !== unlimited[name] ? [{ name, most }] : []
  })

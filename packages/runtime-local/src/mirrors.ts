import { join } from 'node:path'
import { RuntimeError } from '@berth/runtime'

/** The form of a project's name, as the contract has it: it becomes a directory. */
export const isProjectName = (name: string): boolean => /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)

/** Where the mirrors of a project lie. Throws RuntimeError (forbidden) for what is no name of a project. */
export const mirrorsOf = (mirrors: string, project: string): string => {
  if (!isProjectName(project))
    throw new RuntimeError({
      reason: 'forbidden',
      message: `${JSON.stringify(project)} is not a project’s name, so nothing is kept or removed for it.`,
      retryable: false,
    })
  return join(mirrors, project)
}

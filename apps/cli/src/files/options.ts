import type { JsonOptions, ProjectOptions } from '../options.ts'

/** What commands for files take. */
export interface FilesOptions extends ProjectOptions, JsonOptions {
  turn?: string
  wake?: boolean
}

export const turnHelp = 'the files as they were after this turn (its id)'
export const wakeHelp = 'resume the session if it is stopped'

/** A session and a path in its workspace, as they were typed. */
export interface Place {
  text: string
  path: string
}

/** A path as the API takes it: `./` before it and slashes after it are forgiven. */
export const workspacePathOf = (path: string): string => path.replace(/^(\.\/)+|^\.$/, '').replace(/\/+$/, '')

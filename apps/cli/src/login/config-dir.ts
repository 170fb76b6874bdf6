import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the command line keeps what belongs to the user, beside the backend's data. */
export const configDirOf = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'berth')

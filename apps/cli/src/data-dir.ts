import { homedir, platform } from 'node:os'
import { join, resolve } from 'node:path'

/** Where Berth keeps everything: `BERTH_DATA_DIR`, else the user's data home. The backend finds it the same way. */
export const dataDirOf = (env: NodeJS.ProcessEnv): string => {
  if (env.BERTH_DATA_DIR !== undefined && env.BERTH_DATA_DIR !== '') return resolve(env.BERTH_DATA_DIR)
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Application Support', 'berth')
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'berth')
}

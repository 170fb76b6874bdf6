import { spawn } from 'node:child_process'
import { platform } from 'node:os'

/** Opens an address in the browser of this desktop; undefined where there is none. */
export const pageOpener = (env: NodeJS.ProcessEnv, isTty: boolean): ((url: string) => void) | undefined => {
  const hasDesktop = platform() === 'darwin' || Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY)
  return isTty && hasDesktop ? openPage : undefined
}

/** An address that can't be opened has been printed: nothing more to say. */
const openPage = (url: string): void => {
  const command = platform() === 'darwin' ? 'open' : 'xdg-open'
  spawn(command, [url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref()
}

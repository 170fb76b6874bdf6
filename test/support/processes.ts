import { readdir, readFile } from 'node:fs/promises'
import { eventually, type World } from './world.ts'

/** What to look for below a session's supervisor. */
export const runnerProcess = /runner\/(src\/main\.ts|runner\/main\.js)/
export const claudeProcess = /claude-agent-sdk-[^/]*\/claude\0|\/claude\0--/

const parentOf = async (pid: string): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
}

/** All descendants of a process, with their command lines. */
const descendants = async (root: number): Promise<{ pid: number; command: string }[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const parents = new Map<number, number>()
  for (const pid of pids) parents.set(Number(pid), await parentOf(pid))
  const below = (pid: number): boolean => pid === root || (pid > 1 && below(parents.get(pid) ?? 0))
  const found = [...parents.keys()].filter((pid) => pid !== root && below(pid))
  return Promise.all(
    found.map(async (pid) => ({
      pid,
      command: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    })),
  )
}

/** The process below a session's supervisor whose command line matches, as soon as there is one. */
export const findProcess = (
  world: Pick<World, 'runnerPid'>,
  session: string,
  pattern: RegExp,
): Promise<number> =>
  eventually(`a process like ${pattern}`, async () => {
    const root = await world.runnerPid(session).catch(() => undefined)
    const all = root === undefined ? [] : await descendants(root)
    return all.findLast(({ command }) => pattern.test(command))?.pid
  })

/** Processes whose environment or command line names a text. */
export const processesNaming = async (text: string): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const named = await Promise.all(
    pids.map(async (pid) => {
      const files = ['environ', 'cmdline'].map((name) => `/proc/${pid}/${name}`)
      const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))
      return texts.some((content) => content.includes(text)) ? [Number(pid)] : []
    }),
  )
  return named.flat()
}

/** Sends a signal; a process that is gone is left in peace. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended already.
  }
}

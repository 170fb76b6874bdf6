import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One living process; zombies don't count. */
export interface ProcessInfo {
  pid: number
  parent: number
  group: number
  /** The process session (setsid); where the system doesn't tell, the group. */
  session: number
  /** When it started, in the system's own form. With the pid and the boot id it names a process for good. */
  start: string
}

export interface ProcessTable {
  find(pid: number): Promise<ProcessInfo | undefined>
  all(): Promise<ProcessInfo[]>
  /** The environment that a process was started with, each entry ended by NUL; empty when it can't be read. */
  environment(pid: number): Promise<string>
}

/** Linux: /proc. */
export const procTable: ProcessTable = {
  find: async (pid) => parseStat(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')),
  all: async () => {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    const found = await Promise.all(pids.map((pid) => procTable.find(Number(pid))))
    return found.filter((info) => info !== undefined)
  },
  environment: (pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
}

/** Elsewhere (macOS): ps. Start times have whole seconds, and environments can't be read. */
export const psTable: ProcessTable = {
  find: async (pid) => (await ps(['-p', String(pid)]))[0],
  all: () => ps(['-A']),
  environment: async () => '',
}

export const processTable = process.platform === 'linux' ? procTable : psTable

/** Names the machine's present run; pids mean nothing in another one. */
export const readBootId = async (): Promise<string> => {
  if (process.platform === 'linux') return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const { stdout } = await run('sysctl', ['-n', 'kern.bootsessionuuid'])
  return stdout.trim().replace(/[^0-9A-Za-z-]/g, '')
}

/** Fields of /proc/<pid>/stat; the name in parentheses may hold anything, spaces and parentheses too. */
export const parseStat = (stat: string): ProcessInfo | undefined => {
  const end = stat.lastIndexOf(') ')
  if (end < 0) return undefined
  const [state, parent, group, session, ...rest] = stat.slice(end + 2).split(' ')
  if (state === 'Z' || state === 'X') return undefined
  const pid = Number.parseInt(stat, 10)
  const start = rest[15] ?? ''
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), start }
}

const ps = async (which: string[]): Promise<ProcessInfo[]> => {
  const options = { env: { ...process.env, LC_ALL: 'C', TZ: 'UTC0' }, maxBuffer: 16 * 1024 * 1024 }
  const columns = ['-o', 'pid=', '-o', 'ppid=', '-o', 'pgid=', '-o', 'stat=', '-o', 'lstart=']
  const stdout = await run('ps', [...which, ...columns], options).then(
    (result) => result.stdout,
    () => '',
  )
  return stdout.split('\n').flatMap((line) => parsePs(line) ?? [])
}

/** One line of `ps -o pid= -o ppid= -o pgid= -o stat= -o lstart=`. */
export const parsePs = (line: string): ProcessInfo | undefined => {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line)
  if (!match || match[4]?.startsWith('Z')) return undefined
  const [, pid, parent, group, , start = ''] = match
  return { pid: Number(pid), parent: Number(parent), group: Number(group), session: Number(group), start }
}

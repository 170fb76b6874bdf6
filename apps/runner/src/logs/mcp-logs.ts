import { constants } from 'node:fs'
import { directoryFlags, enter, type Held, namesIn, openAt } from '../held-directory.ts'

/** Where Claude Code writes what its MCP servers said, below the agent's home. */
const place = ['.cache', 'claude-cli-nodejs']
const prefix = 'mcp-logs-'
/** Bytes of one file that are read at a time; what goes beyond is left out. */
const mostBytes = 64 * 1024
/** Files that are known; more are not looked at. */
const mostFiles = 200
const intervalMs = 2000

export interface McpLogsOptions {
  /** The agent's home, outside. */
  home: string
  /** Files are named by the time of their making; older ones are not read. */
  since: Date
  onLine(line: string): void
}

export interface McpLogs {
  /** Reads what is new. */
  look(): Promise<void>
}

/**
 * What MCP servers write to their error output. Claude Code keeps it in files of the agent's home, so it is believed for
 * nothing but itself: no link is followed, nothing but plain files is read, and no more than there is room for.
 */
export const createMcpLogs = ({ home, since, onLine }: McpLogsOptions): McpLogs => {
  const places = new Map<string, number>()
  const first = `${since.toISOString().replace(/[:.]/g, '-')}.jsonl`

  const readFile = async (directory: Held, name: string, server: string) => {
    const file = await openAt(directory, name, constants.O_RDONLY)
    if (file === undefined) return
    try {
      const stat = await file.stat()
      const known = places.get(file.path)
      if (!stat.isFile() || (known === undefined && places.size >= mostFiles)) return
      const from = Math.min(known ?? 0, stat.size)
      const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, from)
      const whole = buffer.subarray(0, buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1)
      const rest = stat.size - from - mostBytes
      places.set(file.path, rest > 0 ? stat.size : from + whole.length)
      for (const line of whole.toString('utf8').split('\n'))
        for (const said of errorIn(line)) onLine(`mcp ${server}: ${said}`)
      if (rest > 0) onLine(`mcp ${server}: … ${rest} bytes left out`)
    } finally {
      await file.close()
    }
  }
  const readServer = async (directory: Held | undefined, name: string) => {
    const server = await openAt(directory, name, directoryFlags)
    try {
      if (server !== undefined)
        // Older ones were told by the runner before.
        for await (const file of namesIn(server, mostFiles))
          if (file.endsWith('.jsonl') && file >= first)
            await readFile(server, file, name.slice(prefix.length))
    } finally {
      await server?.close()
    }
  }
  return {
    look: async () => {
      const root = await enter(home, place)
      try {
        for await (const name of namesIn(root, 20)) {
          const project = await openAt(root, name, directoryFlags)
          for await (const server of namesIn(project, mostFiles))
            if (server.startsWith(prefix)) await readServer(project, server)
          await project?.close()
        }
      } finally {
        await root?.close()
      }
    },
  }
}

/** Looks again and again until the signal aborts. */
export const followMcpLogs = (
  logs: McpLogs,
  signal: AbortSignal,
  onProblem: (error: unknown) => void,
): void => {
  let busy = false
  const look = async () => {
    if (busy) return
    busy = true
    await logs.look().catch(onProblem)
    busy = false
  }
  const timer = setInterval(() => void look(), intervalMs)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
  if (signal.aborted) clearInterval(timer)
}

/** The lines of an error in a line of such a file. */
const errorIn = (line: string): string[] => {
  try {
    const { error } = JSON.parse(line)
    if (typeof error !== 'string') return []
    return error
      .replace(/^Server stderr: /, '')
      .split('\n')
      .filter((said) => said.trim() !== '')
  } catch {
    return []
  }
}

import type { EventData } from '@berth/contract'
import { clip } from './bounds.ts'
import type { Clock } from './clock.ts'
import type { Emit } from './fact.ts'
import { type Fields, fieldsOf, listOf, optionalText, textOf } from './fields.ts'

type Server = EventData<'agent.mcp'>['servers'][number]

/** Looks at the MCP servers and tells when something about them has changed. */
export interface McpWatch {
  /** Something may have changed. */
  look(): void
  stop(): void
}

export interface McpWatchOptions {
  ask: () => Promise<unknown>
  /** Servers that are left out. */
  disabled: readonly string[]
  /** Servers that a workflow brings. */
  workflow: readonly string[]
  /** Why a server that is reached through this process failed. */
  errorOf: (name: string) => string | undefined
  emit: Emit
  clock: Clock
}

const maxServers = 100
const maxTools = 200
/** Characters of tools in one event; descriptions go first, then tools. */
const maxText = 100_000

/** Between two looks while a server is being started, and how often. */
const pendingMs = 500
const maxPending = 240

const statuses = new Set<Server['status']>(['connected', 'failed', 'needs-auth', 'pending', 'disabled'])

const toolOf = (value: unknown): Server['tools'][number] => {
  const { name, description } = fieldsOf(value)
  const text = optionalText(description)
  return { name: clip(textOf(name), 200), ...(text === undefined ? {} : { description: clip(text, 500) }) }
}

type Naming = Pick<McpWatchOptions, 'disabled' | 'errorOf' | 'workflow'>

const originOf = (fields: Fields, { workflow }: Naming): Server['origin'] => {
  if (workflow.includes(textOf(fields.name))) return 'workflow'
  return fields.source === 'project' ? 'repository' : 'settings'
}

const serverOf = (value: unknown, naming: Naming): Server => {
  const fields = fieldsOf(value)
  const known = fields.status === 'failed' ? naming.errorOf(textOf(fields.name)) : undefined
  const error = optionalText(fields.error) ?? known
  const status = textOf(fields.status) as Server['status']
  return {
    name: clip(textOf(fields.name), 200),
    status: statuses.has(status) ? status : 'failed',
    ...(error === undefined ? {} : { error: clip(error, 1000) }),
    origin: originOf(fields, naming),
    tools: listOf(fields.tools).slice(0, maxTools).map(toolOf),
  }
}

/** Servers within the bounds of one event. */
const boundedServers = (values: unknown, naming: Naming): Server[] => {
  const left = naming.disabled.map(
    (name): Server => ({ name, status: 'disabled', origin: originOf({ name }, naming), tools: [] }),
  )
  let room = maxText
  const live = listOf(values)
    .slice(0, maxServers)
    .map((value) => serverOf(value, naming))
  return [...live, ...left].slice(0, maxServers).map((server) => {
    const tools = server.tools.flatMap((tool) => {
      const long = tool.name.length + (tool.description?.length ?? 0)
      const kept = long <= room ? tool : tool.name.length <= room ? { name: tool.name } : undefined
      room -= kept === tool ? long : (kept?.name.length ?? 0)
      return kept === undefined ? [] : [kept]
    })
    return { ...server, tools }
  })
}

/** Makes the watch. What can't be asked because Claude Code has ended is not told. */
export const createMcpWatch = (deps: McpWatchOptions): McpWatch => {
  let told = '[]'
  let asking = false
  let again = false
  let over = false
  let waits = 0
  let cancel = () => {}

  const tell = (servers: Server[]) => {
    const text = JSON.stringify(servers)
    if (text === told) return
    told = text
    deps.emit({ type: 'agent.mcp', data: { servers } })
  }
  const ask = async () => {
    const servers = boundedServers(await deps.ask(), deps)
    if (over) return
    tell(servers)
    if (!servers.some(({ status }) => status === 'pending') || waits >= maxPending) return
    waits += 1
    cancel = deps.clock.after(pendingMs, look)
  }
  const look = () => {
    cancel()
    if (over) return
    if (asking) {
      again = true
      return
    }
    asking = true
    void ask()
      .catch(() => undefined)
      .then(() => {
        asking = false
        if (!again) return
        again = false
        look()
      })
  }
  return {
    look,
    stop() {
      over = true
      cancel()
    },
  }
}

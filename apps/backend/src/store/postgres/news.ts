import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { z } from 'zod'
import type { Notice } from '../port.ts'
import { type ConnectionOptions, type Connections, clientConfig } from './connections.ts'

const channel = 'berth'
/** A notification holds less than 8,000 bytes. */
const perNotification = 40

const item = z.object({
  s: z.string(),
  p: z.string(),
  q: z.number(),
  /** The project's revision, when its list changed. */
  r: z.number().optional(),
  /** The session was purged. */
  x: z.literal(1).optional(),
})
const message = z.object({ from: z.string(), items: z.array(item) })

export interface News {
  /** Tells the other backends. Never rejects: who misses it looks at the tables every second. */
  tell(notices: readonly Notice[]): void
  close(): Promise<void>
}

export interface NewsOptions {
  connection: ConnectionOptions
  connections: Connections
  /** Of another backend. */
  onNotice(notice: Notice): void
}

/** What was appended, between backends, as a hint: LISTEN on a connection of its own, which is made anew when it breaks. */
export const openNews = async ({ connection, connections, onNotice }: NewsOptions): Promise<News> => {
  const own = randomUUID()
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let check: NodeJS.Timeout | undefined
  let closed = false
  let delay = 100

  const receive = (payload: string) => {
    const parsed = message.safeParse(parseJson(payload))
    if (!parsed.success || parsed.data.from === own) return
    for (const { s: session, p: project, q: seq, r: revision, x } of parsed.data.items)
      onNotice({
        ...{ session, project, seq },
        change: revision === undefined ? undefined : x === 1 ? { revision, removed: session } : { revision },
      })
  }
  const listen = async () => {
    // Time limits are for statements; a listener waits for as long as it takes.
    const next = new pg.Client({ ...clientConfig(connection), application_name: 'berth-news' })
    client = next
    const again = () => {
      if (client === next) retry()
    }
    next.on('error', again).on('end', again)
    next.on('notification', ({ payload = '' }) => receive(payload))
    await next.connect()
    await next.query(`LISTEN ${channel}`)
    delay = 100
    stillHears(next, again)
  }
  /** A network that swallows everything ends no connection. */
  const stillHears = (listener: pg.Client, again: () => void) => {
    const ask = async () => {
      await listener.query('SELECT 1')
      if (client === listener) stillHears(listener, again)
    }
    clearTimeout(check)
    check = setTimeout(() => void ask().catch(again), connection.checkMs ?? 10_000)
    check.unref()
  }
  const retry = () => {
    clearTimeout(check)
    const old = client
    client = undefined
    void old?.end().catch(() => undefined)
    if (closed || timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      if (!closed) listen().catch(retry)
    }, delay)
    timer.unref()
    delay = Math.min(2 * delay, 5000)
  }
  await listen().catch(retry)
  return {
    tell(notices) {
      for (let at = 0; at < notices.length; at += perNotification) {
        const items = notices.slice(at, at + perNotification).map(toItem)
        const payload = JSON.stringify({ from: own, items })
        connections.statement('SELECT pg_notify($1, $2)', [channel, payload]).catch(() => undefined)
      }
    },
    async close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(check)
      const last = client
      client = undefined
      await last?.end().catch(() => undefined)
    },
  }
}

const toItem = ({ session, project, seq, change }: Notice): z.infer<typeof item> => ({
  ...{ s: session, p: project, q: seq },
  ...(change === undefined ? {} : { r: change.revision }),
  ...(change !== undefined && 'removed' in change ? { x: 1 as const } : {}),
})

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

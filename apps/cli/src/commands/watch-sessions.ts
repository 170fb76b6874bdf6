import type { SessionSummary } from '@berth/contract'
import type { Context } from '../context.ts'
import { renderSessionList } from '../render/session-list.ts'
import { safeJson } from '../terminal/safe-text.ts'
import type { ListQuery } from './ls.ts'

export interface WatchOptions {
  project: string
  query: ListQuery
  json: boolean
}

/** Shows the list and redraws it as sessions change, until Ctrl-C. Pushed by the backend, never polled. */
export const watchSessions = async (
  context: Context,
  { project, query, json }: WatchOptions,
): Promise<void> => {
  const abort = new AbortController()
  const unsubscribe = context.onInterrupt(() => abort.abort())
  const draw = json ? undefined : createPainter(context)
  const reload = async () => {
    const page = await context.client.listSessions({ params: { project }, query })
    if (json) for (const session of page.items) context.out.line(safeJson(session))
    draw?.(page.items)
    return page
  }
  try {
    let page = await reload()
    const stream = context.client.projectChanges(project, { after: page.revision, signal: abort.signal })
    for await (const change of stream) {
      if (change.revision <= page.revision && change.type !== 'reset') continue
      if (json && change.type !== 'reset')
        context.out.line(safeJson(change.type === 'session' ? change.session : change))
      // Filters are the backend's: it is asked again rather than imitated. A change is rare, never a delta.
      else page = await reload()
    }
  } finally {
    unsubscribe()
  }
}

/** On a terminal the list is drawn over itself; elsewhere each state follows the last. */
const createPainter = ({ out, now }: Context) => {
  let rows = 0
  return (sessions: readonly SessionSummary[]): void => {
    const width = out.columns()
    const text =
      sessions.length === 0
        ? 'No sessions here.'
        : renderSessionList(sessions, { width, style: out.style, now: now() })
    if (out.isTty && rows > 0) out.write(`\u001b[${rows}A\u001b[J`)
    out.line(text)
    rows = text.split('\n').length
  }
}

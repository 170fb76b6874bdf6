import type { ResultOf } from '@berth/client'
import { phase, type SessionSummary } from '@berth/contract'
import { type Command, InvalidArgumentError } from 'commander'
import type { Context } from '../context.ts'
import { collect, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { placesOf } from '../queue-places.ts'
import { renderSessionList } from '../render/session-list.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { watchSessions } from './watch-sessions.ts'

interface LsOptions extends ProjectOptions, JsonOptions {
  phase?: SessionSummary['status']['phase'][]
  owner?: string
  label?: string[]
  text?: string
  deleted?: boolean
  all?: boolean
  watch?: boolean
}

export type ListQuery = Exclude<Parameters<Context['client']['listSessions']>[0]['query'], undefined>
type Page = ResultOf<'listSessions'>

const collectPhase = (value: string, before: LsOptions['phase']): LsOptions['phase'] => {
  const parsed = phase.safeParse(value)
  if (!parsed.success) throw new InvalidArgumentError(`expected one of ${phase.options.join(', ')}.`)
  return [...(before ?? []), parsed.data]
}

export const addLs = (program: Command, context: Context): void => {
  program
    .command('ls')
    .summary('list sessions')
    .description('Lists sessions, newest first; those that wait for a person stand on top.')
    .option('--phase <phase>', `only these phases; repeatable (${phase.options.join(', ')})`, collectPhase)
    .option('--owner <id>', 'only this owner’s')
    .option('-l, --label <key[=value]>', 'only with this label; repeatable', collect)
    .option('--text <text>', 'only with this in the title')
    .option('--deleted', 'deleted sessions that can still be restored')
    .option('-a, --all', 'all pages (default: the newest 50)')
    .option('-w, --watch', 'stay, and show changes as they come')
    .addOption(projectOption())
    .addOption(jsonOption('summaries'))
    .action((options: LsOptions) => list(context, options))
}

const list = async (context: Context, options: LsOptions): Promise<void> => {
  const query = toQuery(options)
  if (options.watch === true)
    return watchSessions(context, { project: options.project, query, json: options.json === true })
  const { sessions, more } = await load(context, options, query)
  if (options.json === true) {
    for (const session of sessions) context.out.line(safeJson(session))
    return
  }
  if (sessions.length === 0)
    return context.err.line(
      `No sessions here. Start one with: ${context.berth} run --repo . "Fix the failing test"`,
    )
  const { out } = context
  const places = await placesOf(context, sessions)
  out.line(
    renderSessionList(sessions, { width: out.columns(), style: out.style, now: context.now(), places }),
  )
  if (more) context.err.line(context.err.style.dim(`  There are more: ${context.berth} ls --all`))
}

const toQuery = (options: LsOptions): ListQuery => {
  const { phase: phases, owner, label, text } = options
  return {
    ...(phases === undefined ? {} : { phase: phases }),
    ...(owner === undefined ? {} : { owner }),
    ...(label === undefined ? {} : { label }),
    ...(text === undefined ? {} : { text }),
    ...(options.deleted === true ? { deleted: 'true' as const } : {}),
  }
}

const load = async ({ client }: Context, options: LsOptions, query: ListQuery) => {
  const params = { project: options.project }
  if (options.all !== true) {
    const page: Page = await client.listSessions({ params, query })
    return { sessions: page.items, more: page.next !== undefined }
  }
  const sessions: SessionSummary[] = []
  for await (const item of client.listAll('listSessions', { params, query: { ...query, limit: 200 } }))
    sessions.push(item)
  return { sessions, more: false }
}

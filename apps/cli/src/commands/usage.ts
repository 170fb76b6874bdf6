import { type UsageReport, usageCsv } from '@berth/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderUsage } from '../render/usage.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'

interface UsageOptions extends ProjectOptions, JsonOptions {
  by?: Exclude<UsageReport['by'], 'project'>
  csv?: boolean
  from?: string
  to?: string
  all?: boolean
}

const day = (value: string): string => {
  const parsed = new Date(`${value}T00:00:00Z`)
  if (
    !/^\d{4}-\d\d-\d\d$/.test(value) ||
    Number.isNaN(parsed.getTime()) ||
    !parsed.toISOString().startsWith(value)
  )
    throw new InvalidArgumentError('expected a day such as 2030-01-31.')
  return value
}

export const addUsage = (program: Command, context: Context): void => {
  const command = program
    .command('usage')
    .summary('show what was used, and the budgets')
    .description(
      'Shows what a project’s sessions used in the last 30 days, or one session in its whole life: requests, tokens and cost, and how much of each budget is left. Days are UTC.',
    )
    .argument('[session]', sessionArgument)
    .addOption(
      new Option('--by <what>', 'in which groups (default: model)').choices([
        'session',
        'model',
        'day',
        'user',
      ]),
    )
    .option('--from <day>', 'first day, e.g. 2030-01-01', day)
    .option('--to <day>', 'last day', day)
    .option('-a, --all', 'all groups (default: the first 50)')
    .option('--csv', 'all groups as a table, for spreadsheets')
    .addOption(projectOption())
    .addOption(jsonOption('the report'))
    .action((session: string | undefined, options: UsageOptions) => usage(context, session, options))
  examples(command, [
    'berth usage',
    'berth usage last --by day',
    'berth usage -p web --by user --from 2030-01-01',
    'berth usage --by user --csv > usage.csv',
  ])
}

const usage = async (context: Context, text: string | undefined, options: UsageOptions): Promise<void> => {
  const { out } = context
  const ask = text === undefined ? ofProject(context, options) : await ofSession(context, text, options)
  const report = await ask(undefined)
  const all = options.all === true || options.csv === true
  while (all && report.next !== undefined) {
    const more = await ask(report.next)
    report.items.push(...more.items)
    report.next = more.next
  }
  if (options.csv === true) return out.write(usageCsv(report.by, report.items))
  out.line(
    options.json === true
      ? safeJson(report)
      : renderUsage(report, { width: out.columns(), style: out.style }),
  )
}

type Ask = (cursor: string | undefined) => Promise<UsageReport>

const ofProject =
  ({ client }: Context, { project, by, from, to, all, csv }: UsageOptions): Ask =>
  (cursor) =>
    client.getProjectUsage({
      params: { project },
      query: { by, from, to, cursor, limit: pageOf(all === true || csv === true) },
    })

const ofSession = async (
  { client }: Context,
  text: string,
  { project, by, from, to, all, csv }: UsageOptions,
): Promise<Ask> => {
  if (by === 'session' || by === 'user')
    throw new ExitError('usage', `A session’s usage has groups by model or day, not by ${by}.`)
  const { id: session } = await findSession(text, { client, project })
  return (cursor) =>
    client.getSessionUsage({
      params: { project, session },
      query: { by, from, to, cursor, limit: pageOf(all === true || csv === true) },
    })
}

const pageOf = (all: boolean): number => (all ? 200 : 50)

import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { AuditRecord } from '@berth/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Context } from '../context.ts'
import { writeTo } from '../export/sink.ts'
import { examples, type JsonOptions, jsonOption, wholeNumber } from '../options.ts'
import { renderAudit } from '../render/audit.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { addAuditVerify } from './audit-verify.ts'

interface FilterOptions {
  project?: string
  actor?: string
  action?: string
  object?: string
  session?: string
  result?: AuditRecord['result']
  from?: string
  to?: string
}

const time = (value: string): string => {
  const at = new Date(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00:00Z` : value)
  if (Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('expected a day or a time, such as 2030-01-31.')
  return at.toISOString()
}

const filters = (command: Command): Command =>
  command
    .addOption(new Option('-p, --project <name>', 'only of this project (its admins may ask, too)'))
    .option('--actor <id>', 'only what this user, key or service did')
    .option('--action <name>', 'only these deeds, e.g. createSession or secret.*')
    .option('--object <id>', 'only what was done to this')
    .option('--session <id>', 'only of this session')
    .addOption(new Option('--result <what>', 'what came of it').choices(['done', 'refused', 'failed']))
    .option('--from <time>', 'at this day (UTC) or time, or later', time)
    .option('--to <time>', 'before this day (UTC) or time', time)

export const addAudit = (program: Command, context: Context): void => {
  const audit = program
    .command('audit')
    .summary('see who did what, and prove it')
    .description(
      'Shows, exports and checks the audit: who did what to what, from where, and what came of it. Platform admins see everything, project admins what was done in their project.',
    )
  const ls = filters(audit.command('ls'))
    .summary('list entries, the newest first')
    .description('Lists entries of the audit, the newest first.')
    .option('-n, --lines <count>', 'so many at most', wholeNumber(1, 100_000), 50)
    .addOption(jsonOption('the entries'))
    .action((options: ListOptions) => list(context, options))
  examples(ls, [
    'berth audit ls --actor ada@example.com --from 2030-01-01',
    'berth audit ls -p web --action "secret.*"',
    'berth audit ls --result refused --json',
  ])
  const exporting = filters(audit.command('export'))
    .summary('write the sealed entries to a file')
    .description(
      'Writes all sealed entries, the oldest first: JSON lines with each entry’s place in the chain, which `berth audit verify --file` checks, or CloudEvents 1.0 for other systems. The export is an entry itself.',
    )
    .addOption(
      new Option('--format <format>', 'what to write').choices(['jsonl', 'cloudevents']).default('jsonl'),
    )
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .option('--force', 'replace the file if it exists')
    .action((options: ExportOptions) => exportEntries(context, options))
  examples(exporting, ['berth audit export -o audit.jsonl', 'berth audit export -p web --format cloudevents'])
  addAuditVerify(audit, context)
}

type ListOptions = FilterOptions & JsonOptions & { lines: number }

const list = async ({ client, out }: Context, options: ListOptions): Promise<void> => {
  const { lines, json, ...query } = options
  const items: AuditRecord[] = []
  let cursor: string | undefined
  do {
    const page = await ask(client, { ...query, cursor, limit: Math.min(200, lines - items.length) })
    for (const item of page.items) if (json === true) out.line(safeJson(item))
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined && items.length < lines)
  if (json === true) return
  out.line(renderAudit(items, { width: out.columns(), style: out.style, more: cursor !== undefined }))
}

const ask = (
  client: Context['client'],
  { project, ...query }: FilterOptions & { cursor?: string | undefined; limit: number },
) =>
  project === undefined
    ? client.listAudit({ query })
    : client.listProjectAudit({ params: { project }, query })

interface ExportOptions extends FilterOptions {
  format: 'jsonl' | 'cloudevents'
  output?: string
  force?: boolean
}

const exportEntries = async ({ client, out, err }: Context, options: ExportOptions): Promise<void> => {
  const { output: file, force = false, project, ...query } = options
  const { stream } =
    project === undefined
      ? await client.exportAudit({ query, timeoutMs: 20 * 60_000 })
      : await client.exportProjectAudit({ params: { project }, query, timeoutMs: 20 * 60_000 })
  await writeTo({ file, out, force }, async (write) => {
    const text = Readable.fromWeb(stream as ReadableStream<Uint8Array>).setEncoding('utf8')
    for await (const piece of text) await write(piece)
  })
  if (file !== undefined) err.line(`Wrote ${file}`)
}

import type { Client } from '@berth/client'
import type { SessionSummary } from '@berth/contract'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { createMarkdown } from '../export/markdown.ts'
import { type Write, writeTo } from '../export/sink.ts'
import { toWire } from '../follow/screen.ts'
import { examples, type ProjectOptions, projectOption } from '../options.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'

interface ExportOptions extends ProjectOptions {
  format: 'jsonl' | 'markdown'
  output?: string
  force?: boolean
}

export const addExport = (program: Command, context: Context): void => {
  const command = program
    .command('export')
    .summary('write a session’s conversation to a file')
    .description(
      'Writes a session as it is in the log: every event as a JSON line, or the conversation as Markdown, with long inputs and results of tools ' +
        'shortened. What agents and people wrote can’t break out of its place in the Markdown.',
    )
    .argument('<session>', sessionArgument)
    .addOption(
      new Option('--format <format>', 'what to write').choices(['jsonl', 'markdown']).default('markdown'),
    )
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .option('--force', 'replace the file if it exists')
    .addOption(projectOption())
    .action((text: string, options: ExportOptions) => exportSession(context, text, options))
  examples(command, [
    'berth export last',
    'berth export last --format jsonl --output session.jsonl',
    'berth export last -o session.md --force',
  ])
}

const exportSession = async (context: Context, text: string, options: ExportOptions): Promise<void> => {
  const { client, out, err } = context
  const session = await findSession(text, { client, project: options.project })
  const { output: file, force = false } = options
  const produce = options.format === 'jsonl' ? jsonLines : markdown
  await writeTo({ file, out, force }, (write) => produce(context, session, write))
  if (file !== undefined) err.line(`Wrote ${file}`)
}

/** The events of a session; of a fork, those from before it come first. */
async function* wholeLog(client: Client, { project, id, fork }: SessionSummary) {
  if (fork !== undefined) yield* client.history(project, id)
  yield* client.events(project, id, { follow: false })
}

const jsonLines = async ({ client }: Context, session: SessionSummary, write: Write): Promise<void> => {
  for await (const event of wholeLog(client, session)) await write(`${safeJson(toWire(event))}\n`)
}

const markdown = async ({ client }: Context, session: SessionSummary, write: Write): Promise<void> => {
  const document = createMarkdown(session)
  for await (const event of wholeLog(client, session)) document.push(event)
  for (const piece of document.pieces()) await write(piece)
}

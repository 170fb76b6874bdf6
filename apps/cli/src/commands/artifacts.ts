import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type FilesOptions, turnHelp } from '../files/options.ts'
import { examples, jsonOption, projectOption } from '../options.ts'
import { renderFiles } from '../render/file-list.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'

export const addArtifacts = (program: Command, context: Context): void => {
  const command = program
    .command('artifacts')
    .summary('list what a session’s agent put into artifacts/')
    .description(
      'Lists the files below artifacts/ in a session’s workspace, where the agent puts what people should get besides the code.',
    )
    .argument('<session>', sessionArgument)
    .option('--turn <turn>', turnHelp)
    .addOption(projectOption())
    .addOption(jsonOption('the entries'))
    .action((text: string, options: FilesOptions) => artifacts(context, text, options))
  examples(command, [
    'berth artifacts last',
    'berth files get last artifacts/report.md',
    'berth files archive last artifacts -o artifacts.tar.gz',
  ])
}

const artifacts = async (context: Context, text: string, options: FilesOptions): Promise<void> => {
  const { client, out, err } = context
  const { id: session, project } = await findSession(text, { client, project: options.project })
  const params = { project, session }
  const { items, more } = await client.listArtifacts({
    params,
    query: { turn: options.turn },
    timeoutMs: 60_000,
  })
  if (options.json === true) for (const item of items) out.line(safeJson(item))
  else if (items.length > 0) out.line(renderFiles(items, { width: out.columns(), style: out.style }))
  else err.line('There are no artifacts.')
  if (more) err.line('There are more. `berth files ls` lists directory by directory.')
}

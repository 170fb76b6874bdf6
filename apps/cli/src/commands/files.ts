import type { FileEntry } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type FilesOptions, type Place, turnHelp, wakeHelp, workspacePathOf } from '../files/options.ts'
import { examples, jsonOption, projectOption } from '../options.ts'
import { renderFiles } from '../render/file-list.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'
import { addTransfers } from './files-transfer.ts'

export const addFiles = (program: Command, context: Context): void => {
  const files = program
    .command('files')
    .summary('list, get, put and remove files of a session’s workspace')
    .description(
      'Works with the files of a session’s workspace. They can be read whether or not the session is live, and changed while it is.',
    )
  files
    .command('ls')
    .description('list a directory')
    .argument('<session>', sessionArgument)
    .argument('[path]', 'below the workspace', '')
    .option('--turn <turn>', turnHelp)
    .addOption(projectOption())
    .addOption(jsonOption('the entries'))
    .action((text: string, path: string, options: FilesOptions) => list(context, { text, path }, options))
  addTransfers(files, context)
  files
    .command('rm')
    .description('remove a file or directory')
    .argument('<session>', sessionArgument)
    .argument('<path>', 'below the workspace')
    .option('-r, --recursive', 'a directory with all that is in it')
    .option('--wake', wakeHelp)
    .addOption(projectOption())
    .action((text: string, path: string, options: FilesOptions & { recursive?: boolean }) =>
      remove(context, { text, path }, options),
    )
  examples(files, [
    'berth files ls last',
    'berth files get last app/report.md',
    'berth files put last data.csv app/data.csv',
    'cat notes.md | berth files put last - app/notes.md',
    'berth files archive last app -o app.tar.gz',
  ])
}

const list = async (context: Context, { text, path }: Place, options: FilesOptions): Promise<void> => {
  const { client, out } = context
  const { id, project } = await findSession(text, { client, project: options.project })
  const query = { path: workspacePathOf(path), turn: options.turn }
  const entries: FileEntry[] = []
  for await (const entry of client.listAll('listFiles', {
    params: { project, session: id },
    query,
    timeoutMs: 60_000,
  }))
    if (options.json === true) out.line(safeJson(entry))
    else entries.push(entry)
  if (options.json === true) return
  if (entries.length === 0) context.err.line('Nothing is there.')
  else out.line(renderFiles(entries, { width: out.columns(), style: out.style }))
}

const remove = async (
  context: Context,
  { text, path }: Place,
  options: FilesOptions & { recursive?: boolean },
): Promise<void> => {
  const { client, err } = context
  const { id, project } = await findSession(text, { client, project: options.project })
  const recursive = options.recursive === true ? 'true' : 'false'
  const wake = options.wake === true ? 'true' : 'false'
  const query = { path: workspacePathOf(path), recursive, wake } as const
  await client.deleteFile({ params: { project, session: id }, query, timeoutMs: 60_000 })
  err.line(`Removed ${safeLine(path)}`)
}

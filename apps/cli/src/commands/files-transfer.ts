import { basename } from 'node:path'
import { limits } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { type FilesOptions, type Place, turnHelp, wakeHelp, workspacePathOf } from '../files/options.ts'
import { type OpenContent, receiveToFile, receiveToOutput } from '../files/receive-file.ts'
import { sendBytes, sendFile } from '../files/send-file.ts'
import { projectOption } from '../options.ts'
import { bytes } from '../render/amounts.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeLine } from '../terminal/safe-text.ts'

interface GetOptions extends FilesOptions {
  output?: string
  force?: boolean
}

interface PutOptions extends FilesOptions {
  executable?: boolean
  new?: boolean
}

/** `get`, `put` and `archive`. */
export const addTransfers = (files: Command, context: Context): void => {
  files
    .command('get')
    .description('get a file')
    .argument('<session>', sessionArgument)
    .argument('<path>', 'below the workspace')
    .argument('[file]', 'where to; `-`: standard output (default: its name, here)')
    .option('--force', 'replace the file if it exists')
    .option('--turn <turn>', turnHelp)
    .addOption(projectOption())
    .action((...[text, path, output, options]: [string, string, string | undefined, GetOptions]) =>
      get(context, { text, path }, { ...options, output }),
    )
  files
    .command('put')
    .description('put a file into the workspace; a large one goes on where an earlier try left off')
    .argument('<session>', sessionArgument)
    .argument('<file>', 'file of this machine; `-`: standard input')
    .argument('[path]', 'below the workspace (default: its name)')
    .option('-x, --executable', 'make it executable (default: as it is here)')
    .option('--new', 'only if nothing is there')
    .option('--wake', wakeHelp)
    .addOption(projectOption())
    .action((...[text, file, path, options]: [string, string, string | undefined, PutOptions]) =>
      put(context, { text, path: path ?? basename(file) }, { ...options, file }),
    )
  files
    .command('archive')
    .description('get a file or directory as tar.gz')
    .argument('<session>', sessionArgument)
    .argument('[path]', 'below the workspace', '')
    .option('-o, --output <file>', 'where to (default: standard output)')
    .option('--force', 'replace the file if it exists')
    .option('--turn <turn>', turnHelp)
    .addOption(projectOption())
    .action((text: string, path: string, options: GetOptions) => archive(context, { text, path }, options))
}

const patienceMs = 330_000

const get = async (context: Context, { text, path: given }: Place, options: GetOptions): Promise<void> => {
  const { client } = context
  const { id: session, project } = await findSession(text, { client, project: options.project })
  const path = workspacePathOf(given)
  const query = { path, turn: options.turn }
  const content: OpenContent = (headers) =>
    client.readFile({ params: { project, session }, query, headers, timeoutMs: patienceMs })
  await deliver(context, path, { content, file: options.output ?? basename(path), force: options.force })
}

const archive = async (
  context: Context,
  { text, path: given }: Place,
  options: GetOptions,
): Promise<void> => {
  const { client, out } = context
  const { id: session, project } = await findSession(text, { client, project: options.project })
  const path = workspacePathOf(given)
  const file = options.output ?? '-'
  if (file === '-' && out.isTty)
    throw new ExitError('usage', 'An archive is no text for a terminal. Name a file with --output.')
  const query = { path, turn: options.turn }
  const content: OpenContent = (headers) =>
    client.archiveFiles({ params: { project, session }, query, headers, timeoutMs: patienceMs })
  await deliver(context, path === '' ? 'the workspace' : path, { content, file, force: options.force })
}

const deliver = async (
  context: Context,
  what: string,
  { content, file, force = false }: { content: OpenContent; file: string; force?: boolean | undefined },
): Promise<void> => {
  if (file === '-') return receiveToOutput(context, what, content)
  const size = await receiveToFile(context, what, { content, file, force })
  context.err.line(`Wrote ${safeLine(file)}, ${bytes(size)}`)
}

const put = async (
  context: Context,
  { text, path }: Place,
  options: PutOptions & { file: string },
): Promise<void> => {
  const { client, err } = context
  const { file } = options
  if (file === '-' && path === '-')
    throw new ExitError('usage', 'Say where standard input should go: berth files put SESSION - PATH')
  const { id: session, project } = await findSession(text, { client, project: options.project })
  const sending = {
    project,
    session,
    path: workspacePathOf(path),
    executable: options.executable,
    fresh: options.new === true,
    wake: options.wake === true,
  }
  const written =
    file === '-'
      ? await sendBytes(context, sending, await readAll(context))
      : await sendFile(context, sending, file)
  err.line(`${written.created ? 'Made' : 'Replaced'} ${safeLine(written.path)}, ${bytes(written.size)}`)
}

const readAll = async ({ inputBytes }: Context): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of inputBytes()) {
    size += chunk.length
    if (size > limits.file)
      throw new ExitError(
        'refused',
        `Standard input is larger than ${bytes(limits.file)}. Write it to a file, and put that.`,
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

import { open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { examples, type ProjectOptions, projectOption } from '../options.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeLine } from '../terminal/safe-text.ts'

interface BundleOptions extends ProjectOptions {
  repository?: string
  full?: boolean
  leaveUncommitted?: boolean
  output?: string
}

export const addBundle = (program: Command, context: Context): void => {
  const command = program
    .command('bundle')
    .summary('write a session’s work to a git bundle')
    .description(
      'Writes the session branch to a file that `git fetch` takes: what a clone of the origin lacks, or with --full everything, for `git clone`. ' +
        'What the agent has not committed becomes a commit on top. Works for stopped sessions too.',
    )
    .argument('<session>', sessionArgument)
    .option('-o, --output <file>', 'file to write; what is there is replaced (default: <session>.bundle)')
    .option('--repository <name>', 'which one, when the session has several')
    .option('--full', 'the whole history')
    .option('--leave-uncommitted', 'only what was committed')
    .addOption(projectOption())
    .action((text: string, options: BundleOptions) => bundle(context, text, options))
  examples(command, ['berth bundle last -o work.bundle', 'berth bundle last --full'])
}

const bundle = async (context: Context, text: string, options: BundleOptions): Promise<void> => {
  const { client, err } = context
  const { id, project } = await findSession(text, { client, project: options.project })
  const file = options.output ?? `${id}.bundle`
  const { stream } = await client.getBundle({
    params: { project, session: id },
    query: {
      repository: options.repository,
      history: options.full === true ? 'full' : 'base',
      uncommitted: options.leaveUncommitted === true ? 'leave' : 'include',
    },
    timeoutMs: 20 * 60_000,
  })
  await save(file, stream as ReadableStream<Uint8Array>)
  err.line(`Wrote ${safeLine(file)}. Take it with: git fetch ${safeLine(file)} berth/${id}`)
}

/** The file is there as a whole, or as it was before. */
const save = async (file: string, stream: ReadableStream<Uint8Array>): Promise<void> => {
  const part = `${file}.${process.pid}.part`
  try {
    const handle = await open(part, 'wx', 0o600)
    await pipeline(Readable.fromWeb(stream), handle.createWriteStream())
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw new ExitError('refused', `${safeLine(file)} can’t be written: ${error.message}. Nothing was kept.`)
  }
}

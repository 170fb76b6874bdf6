import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { follow } from '../follow/follow.ts'
import {
  type JsonOptions,
  jsonOption,
  type ProjectOptions,
  projectOption,
  verboseOption,
} from '../options.ts'
import { renderSession, sessionView } from '../render/session-view.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'

interface AttachOptions extends ProjectOptions, JsonOptions {
  verbose?: boolean
}

export const addAttach = (program: Command, context: Context): void => {
  program
    .command('attach')
    .summary('take part in a session')
    .description(
      'Shows a session from its beginning and stays: answers permission requests and questions, sends what you type as prompts. ' +
        'Ctrl-C interrupts the turn, Ctrl-C again (or Ctrl-D) leaves; the session goes on.',
    )
    .argument('<session>', sessionArgument)
    .addOption(verboseOption())
    .addOption(projectOption())
    .addOption(jsonOption('events as on the wire'))
    .action((text: string, options: AttachOptions) => attach(context, text, options))
}

const attach = async (context: Context, text: string, options: AttachOptions): Promise<void> => {
  const session = await findSession(text, { client: context.client, project: options.project })
  const json = options.json === true
  if (!json) {
    context.err.line(renderSession(session, sessionView(context, context.err)))
    context.err.line()
  }
  await follow(context, {
    project: session.project,
    session: session.id,
    after: 0,
    history: session.fork !== undefined,
    liveFrom: session.seq,
    json,
    verbose: options.verbose ?? false,
    typing: !json,
  })
  if (json) return
  const again = `${context.berth} attach ${shortId(session.id)}`
  context.err.line(context.err.style.dim(`  You left; the session goes on. Come back: ${again}`))
}

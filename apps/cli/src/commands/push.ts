import type { PushResult } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

interface PushOptions extends ProjectOptions, JsonOptions {
  repository?: string
  branch?: string
  force?: boolean
  leaveUncommitted?: boolean
  message?: string
}

/** Git may have much to send. */
const timeoutMs = 20 * 60_000

export const addPush = (program: Command, context: Context): void => {
  const command = program
    .command('push')
    .summary('push a session’s work to its origin')
    .description(
      'Pushes what the session had after its last turn to the origin of its repository, and looks whether it is there; also when it is stopped. ' +
        'What the agent has not committed becomes a commit of the session’s owner on top.',
    )
    .argument('<session>', sessionArgument)
    .option('--repository <name>', 'which one, when the session has several')
    .option('--branch <name>', 'branch at the origin (default: the session branch)')
    .option(
      '--force',
      'give up commits that are at the origin; never on the branch that the session started from',
    )
    .option('--leave-uncommitted', 'push only what was committed')
    .option('-m, --message <text>', 'message of the commit with uncommitted work (default: the title)')
    .addOption(projectOption())
    .addOption(jsonOption('the result'))
    .action((text: string, options: PushOptions) => push(context, text, options))
  examples(command, ['berth push last', 'berth push last --branch fix-durations -m "Fix the parser"'])
}

const push = async (context: Context, text: string, options: PushOptions): Promise<void> => {
  const { client, out } = context
  const { id, project } = await findSession(text, { client, project: options.project })
  const { repository, branch, message, force = false } = options
  const uncommitted = options.leaveUncommitted === true ? ('leave' as const) : ('include' as const)
  const result = await client.pushSession({
    params: { project, session: id },
    body: { repository, branch, message, force, uncommitted },
    timeoutMs,
  })
  out.line(options.json === true ? safeJson(result) : pushText(result))
}

/** What came of a push, in a line or two. */
const pushText = (result: PushResult): string => {
  const { branch, url, commit, previous, forced, unchanged, committed, running } = result
  const place = `${safeLine(branch)} at ${safeLine(url)}`
  const from = previous === undefined ? 'new' : `was ${previous.slice(0, 10)}`
  const facts = [
    commit.slice(0, 10),
    ...(unchanged ? [] : [from]),
    ...(forced ? ['forced'] : []),
    ...(committed ? ['with uncommitted work'] : []),
  ]
  const line = `${unchanged ? 'Already there' : 'Pushed'}: ${place} (${facts.join(', ')})`
  const later = 'A turn is under way; what it does is not in the push.'
  return running === undefined ? line : `${line}\n${later}`
}

import type { Command } from 'commander'
import type { Context } from '../context.ts'
import {
  collectLabel,
  examples,
  type JsonOptions,
  jsonOption,
  type ProjectOptions,
  projectOption,
} from '../options.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { findTurn, turnArgument } from '../turn-ref.ts'
import { promptText } from './prompt-text.ts'

interface ForkOptions extends ProjectOptions, JsonOptions {
  turn?: string
  title?: string
  to?: string
  label?: Record<string, string>
}

export const addFork = (program: Command, context: Context): void => {
  const command = program
    .command('fork')
    .summary('start a session of your own from a turn of another')
    .description(
      'Starts a new session that is yours, with files, conversation and settings of the other one as they were after a turn. ' +
        'The other one goes on as if nothing had happened. Prints the new session’s id.',
    )
    .argument('<session>', sessionArgument)
    .argument('[text...]', 'first prompt')
    .option('--turn <turn>', `${turnArgument} (default: the last checkpoint)`)
    .option('--title <title>', 'title (default: that of the other session)')
    .option('--to <project>', 'project of the new session (default: the same)')
    .option('-l, --label <key=value>', 'label, several times if need be', collectLabel)
    .addOption(projectOption())
    .addOption(jsonOption('the new session'))
    .action((text: string, words: string[], options: ForkOptions) => fork(context, { text, words }, options))
  examples(command, [
    'berth fork last',
    'berth fork last --turn 1 "Try it with a parser instead"',
    'berth fork last --turn -1 --to experiments',
  ])
}

const fork = async (
  context: Context,
  { text, words }: { text: string; words: string[] },
  options: ForkOptions,
): Promise<void> => {
  const { client, out, err, berth } = context
  const { id, project } = await findSession(text, { client, project: options.project })
  const params = { project, session: id }
  const turn = options.turn === undefined ? undefined : await findTurn(client, params, options.turn)
  const prompt = words.length === 0 ? undefined : await promptText(context, words)
  const { title, label: labels, to } = options
  const session = await client.forkSession({ params, body: { turn, title, labels, prompt, project: to } })
  if (options.json === true) return out.line(safeJson(session))
  out.line(session.id)
  const where = session.project === options.project ? '' : ` --project ${session.project}`
  err.line(err.style.dim(`  Go on: ${berth} attach ${shortId(session.id)}${where}`))
}

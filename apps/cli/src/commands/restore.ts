import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'
import { findTurn, turnArgument } from '../turn-ref.ts'

interface RestoreOptions extends ProjectOptions, JsonOptions {
  turn: string
}

export const addRestore = (program: Command, context: Context): void => {
  const command = program
    .command('restore')
    .summary('take the files of a session back to a turn')
    .description(
      'Makes the files of a session what they were after a turn. The conversation goes on, and a stopped session wakes for it. ' +
        'Later states stay, so this can be taken back too. Refused while a turn runs.',
    )
    .argument('<session>', sessionArgument)
    .requiredOption('--turn <turn>', turnArgument)
    .addOption(projectOption())
    .addOption(jsonOption('the summary'))
    .action(async (text: string, options: RestoreOptions) => {
      const { client, out } = context
      const { id, project } = await findSession(text, { client, project: options.project })
      const params = { project, session: id }
      const turn = await findTurn(client, params, options.turn)
      const session = await client.restoreWorkspace({ params, body: { turn } })
      const line = `Restoring the files of ${shortId(session.id)} (${safeLine(session.title)})`
      out.line(options.json === true ? safeJson(session) : line)
    })
  examples(command, ['berth restore last --turn 1', 'berth restore last --turn -2'])
}

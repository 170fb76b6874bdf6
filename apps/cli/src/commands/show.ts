import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { placesOf } from '../queue-places.ts'
import { renderSession, sessionView } from '../render/session-view.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'

export const addShow = (program: Command, context: Context): void => {
  program
    .command('show')
    .summary('show a session')
    .description(
      'Shows what is known of a session: phase, activity, repositories, changes, cost, open requests.',
    )
    .argument('<session>', sessionArgument)
    .addOption(projectOption())
    .addOption(jsonOption('the summary'))
    .action(async (text: string, options: ProjectOptions & JsonOptions) => {
      const session = await findSession(text, { client: context.client, project: options.project })
      const { out } = context
      if (options.json === true) return out.line(safeJson(session))
      const place = (await placesOf(context, [session])).get(session.id)
      out.line(renderSession(session, { ...sessionView(context, out), place }))
    })
}

import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { moment } from '../render/duration.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

interface RmOptions extends ProjectOptions, JsonOptions {
  restore?: boolean
}

export const addRm = (program: Command, context: Context): void => {
  program
    .command('rm')
    .summary('delete a session, or take that back')
    .description('Deletes a session. Until it is purged, `--restore` takes the deletion back.')
    .argument('<session>', sessionArgument)
    .option('--restore', 'take a deletion back; the session comes back stopped')
    .addOption(projectOption())
    .addOption(jsonOption('the summary'))
    .action((text: string, options: RmOptions) => remove(context, text, options))
}

const remove = async (context: Context, text: string, options: RmOptions): Promise<void> => {
  const { client, out, berth } = context
  const restore = options.restore === true
  const { id, project } = await findSession(text, { client, project: options.project, deleted: restore })
  const params = { project, session: id }
  const session = restore ? await client.restoreSession({ params }) : await client.deleteSession({ params })
  if (options.json === true) return out.line(safeJson(session))
  const short = shortId(id)
  const named = `${short} (${safeLine(session.title)})`
  if (restore) return out.line(`Restored ${named}. It is stopped; go on with: ${berth} resume ${short}`)
  out.line(`Deleted ${named}`)
  const until = session.purgeAt === undefined ? 'it is purged' : moment(session.purgeAt)
  out.line(out.style.dim(`  Until ${until} this takes it back: ${berth} rm --restore ${short}`))
}

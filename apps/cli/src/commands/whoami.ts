import type { Command } from 'commander'
import { urlOf } from '../connection.ts'
import type { Context } from '../context.ts'
import { type JsonOptions, jsonOption } from '../options.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

export const addWhoami = (program: Command, context: Context): void => {
  program
    .command('whoami')
    .summary('who you are, for the Berth')
    .description('Says as whom this command line is known to the Berth, and what you may do everywhere.')
    .addOption(jsonOption('it'))
    .action((options: JsonOptions) => show(context, options))
}

const show = async ({ client, out, env }: Context, { json }: JsonOptions): Promise<void> => {
  const me = await client.getMe()
  if (json === true) return out.line(safeJson(me))
  const { kind, id, name } = me.principal
  const called = name === undefined ? '' : ` (${safeLine(name)})`
  const rights = [
    ...(me.platformAdmin ? ['platform admin'] : []),
    ...(me.mayCreateProjects && !me.platformAdmin ? ['may create projects'] : []),
  ]
  out.line(
    `${kind} ${safeLine(id)}${called} at ${urlOf(env)}${rights.length > 0 ? `: ${rights.join(', ')}` : ''}`,
  )
}

import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderSettings } from '../render/setting-list.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'
import { readAssignments } from '../settings/assignments.ts'
import { sessionSettingNames } from '../settings/setting-value.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { valueHelp } from './project-settings.ts'

export const addSettings = (program: Command, context: Context): void => {
  const command = program
    .command('settings')
    .summary('show or change a session’s settings')
    .description(
      `Shows the settings that count for a session and where each comes from, or changes them, also while it lives. ${valueHelp} An empty value takes a setting back to the project’s.`,
    )
    .argument('<session>', sessionArgument)
    .argument('[setting=value...]', 'what to change')
    .addOption(projectOption())
    .addOption(jsonOption('the settings'))
    .action((text: string, pairs: string[], options: ProjectOptions & JsonOptions) =>
      settings(context, { text, pairs, ...options }),
    )
  examples(command, [
    'berth settings last',
    'berth settings last maxTurns=20 deadlineMinutes=120',
    'berth settings last idleMinutes=5 stopWhenDone=true env.NODE_ENV=test',
    'berth settings last maxTurns=',
  ])
}

const settings = async (
  { client, out }: Context,
  { text, pairs, project, json }: { text: string; pairs: string[] } & ProjectOptions & JsonOptions,
): Promise<void> => {
  const session = await findSession(text, { client, project })
  const params = { project: session.project, session: session.id }
  const now = await client.getSessionSettings({ params })
  if (pairs.length === 0) {
    const shown = { width: out.columns(), style: out.style }
    return out.line(json === true ? safeJson(now) : renderSettings(sessionSettingNames, now, shown))
  }
  const body = readAssignments(pairs, { own: now.own, scope: 'session' })
  const values = await client.updateSessionSettings({
    params,
    // The contract's schema of this body is a map whose values it doesn't name; the backend checks each.
    body: body as Record<string, never>,
    ifMatch: now.version,
  })
  out.line(
    json === true ? safeJson(values) : `Changed ${Object.keys(body).join(', ')} of ${shortId(session.id)}.`,
  )
}

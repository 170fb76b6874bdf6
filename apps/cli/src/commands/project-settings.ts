import type { ProjectSettings } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { examples, type JsonOptions, jsonOption } from '../options.ts'
import { renderSettings, renderValue } from '../render/setting-list.ts'
import { type Changes, readAssignments, readRemovals } from '../settings/assignments.ts'
import { isSettingName, settingNames } from '../settings/setting-value.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

interface GetOptions extends JsonOptions {
  own?: boolean
}

/** How values are written, for help texts. */
export const valueHelp =
  'A list is JSON or several pairs, a map is JSON or `name.entry=value`; `@file` reads the value from a file.'

export const addProjectSettings = (project: Command, context: Context): void => {
  const group = project
    .command('settings')
    .summary('all settings of a project')
    .description(
      'All settings of a project: what counts, what the project sets itself, and where each comes from.',
    )
  const get = group
    .command('get <name> [setting...]')
    .description('Shows settings. One setting alone is printed as it is, for scripts.')
    .option('--own', 'only what the project sets itself')
    .addOption(jsonOption('own, effective and origins'))
    .action((name: string, names: string[], options: GetOptions) => show(context, { name, names, options }))
  examples(get, [
    'berth project settings get web',
    'berth project settings get web model budgetUsd',
    'berth project settings get web instructions',
  ])
  const set = group
    .command('set <name> <setting=value...>')
    .description(`Changes settings. ${valueHelp}`)
    .addOption(jsonOption('own, effective and origins'))
    .action((name: string, pairs: string[], options: JsonOptions) =>
      changeSettings(context, { name, json: options.json === true }, (own) =>
        readAssignments(pairs, { own }),
      ),
    )
  examples(set, [
    'berth project settings set web model=claude-sonnet-4-5 turnMinutes=30 stopWhenDone=true',
    'berth project settings set web "ask=Bash(git push:*)" "ask=WebFetch"',
    'berth project settings set web env.NODE_ENV=test instructions=@CONTRIBUTING.md',
    'berth project settings set web mcpServers.db=@db-server.json',
  ])
  const unset = group
    .command('unset <name> <setting...>')
    .description('Takes settings, or entries of maps, back to the platform’s.')
    .addOption(jsonOption('own, effective and origins'))
    .action((name: string, paths: string[], options: JsonOptions) =>
      changeSettings(context, { name, json: options.json === true }, (own) => readRemovals(paths, { own })),
    )
  examples(unset, ['berth project settings unset web model env.NODE_ENV'])
}

/** Changes settings of a project from what it sets itself now. */
export const changeSettings = async (
  { client, out }: Context,
  { name, json }: { name: string; json: boolean },
  change: (own: Record<string, unknown>) => Changes,
): Promise<void> => {
  const params = { project: name }
  const { version, own } = await client.getProjectSettings({ params })
  const body = change(own)
  // The contract's schema of this body is a map whose values it doesn't name; the backend checks each.
  const settings = await client.updateProjectSettings({
    params,
    body: body as Record<string, never>,
    ifMatch: version,
  })
  if (json) return out.line(safeJson(settings))
  out.line(`Changed ${Object.keys(body).join(', ')} of ${name}.`)
}

const show = async (
  { client, out }: Context,
  { name, names, options }: { name: string; names: string[]; options: GetOptions },
): Promise<void> => {
  const unknown = names.filter((item) => !isSettingName(item))
  if (unknown.length > 0)
    throw new ExitError(
      'usage',
      `No setting is called ${safeLine(unknown.join(', '))}. The settings: ${settingNames.join(', ')}.`,
    )
  const view = await client.getProjectSettings({ params: { project: name } })
  const chosen = settingNames.filter(
    (item) =>
      (names.length === 0 || names.includes(item)) && (options.own !== true || Object.hasOwn(view.own, item)),
  )
  if (options.json === true) return out.line(safeJson(only(view, chosen)))
  const [single] = names
  const { effective } = view
  if (names.length === 1 && single !== undefined && isSettingName(single))
    return out.line(renderValue((options.own === true ? view.own : effective)[single]))
  if (chosen.length === 0) return out.line(`The project ${name} sets nothing itself.`)
  out.line(renderSettings(chosen, view, { width: out.columns(), style: out.style }))
}

const only = (view: ProjectSettings, names: readonly string[]): object => {
  const pick = (values: object) =>
    Object.fromEntries(Object.entries(values).filter(([key]) => names.includes(key)))
  return {
    version: view.version,
    own: pick(view.own),
    effective: pick(view.effective),
    origins: pick(view.origins),
  }
}

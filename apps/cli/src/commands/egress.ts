import type { EgressRule } from '@berth/contract'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import {
  collect,
  examples,
  type JsonOptions,
  jsonOption,
  type ProjectOptions,
  projectOption,
} from '../options.ts'
import { renderEgress } from '../render/egress.ts'
import { collectHeader, type RuleFlags, readRule, withoutHost, withRule } from '../settings/egress-rules.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'
import { changeSettings } from './project-settings.ts'

type Options = ProjectOptions & JsonOptions

/** How a value refers to a secret. */
const reference = (name: string): string => `$\{secret:${name}}`

export const addEgress = (program: Command, context: Context): void => {
  const group = program
    .command('egress')
    .summary('hosts that sessions may reach')
    .description(
      'Hosts that programs in the sessions of a project may reach, through the backend. Without a rule they reach none.',
    )
  group
    .command('ls')
    .description('Lists the rules in their order: the first that fits a request counts.')
    .addOption(projectOption())
    .addOption(jsonOption('the rules'))
    .action((options: Options) => list(context, options))
  const allow = group
    .command('allow <host>')
    .description(
      'Allows a host (`registry.npmjs.org`, `*.example.com`, `host:port`): by https, to read. A rule for the same host and paths is replaced.',
    )
    .option(
      '--method <method>',
      'a method besides GET and HEAD, which then have to be named too; repeatable',
      collect,
    )
    .option(
      '--path <path>',
      'only this path, or with `/` at the end all below it; `*` and `**` stand for anything; repeatable',
      collect,
    )
    .option(
      '--header <header>',
      `a header that the backend adds, as "Name: value" with secrets as ${reference('name')}; the agent never sees it; repeatable`,
      collectHeader,
    )
    .addOption(new Option('--scheme <scheme>', 'how it is asked').choices(['https', 'http']).default('https'))
    .addOption(projectOption())
    .addOption(jsonOption('own, effective and origins of all settings'))
    .action((host: string, options: Options & RuleFlags) => {
      const rule = readRule(host, options)
      return change(context, options, (rules) => withRule(rules, rule))
    })
  examples(allow, [
    'berth egress allow registry.npmjs.org',
    'berth egress allow api.example.com --method GET --method POST --path /v1/',
    `berth egress allow npm.example.com --header 'Authorization: Bearer ${reference('npm-token')}'`,
  ])
  group
    .command('deny <host>')
    .description('Takes the rules for a host away, or with `host:port` those for one port.')
    .addOption(projectOption())
    .addOption(jsonOption('own, effective and origins of all settings'))
    .action((host: string, options: Options) =>
      change(context, options, (rules) => {
        const left = withoutHost(rules, host)
        if (left.length === rules.length)
          throw new ExitError(
            'usage',
            `The project ${options.project} has no rule for ${safeLine(host)}. Its rules: ${context.berth} egress ls -p ${options.project}`,
          )
        return left
      }),
    )
}

const list = async ({ client, out }: Context, { project, json }: Options): Promise<void> => {
  const { effective } = await client.getProjectSettings({ params: { project } })
  if (json !== true)
    return out.line(renderEgress(effective.egress, { width: out.columns(), style: out.style }))
  for (const rule of effective.egress) out.line(safeJson(rule))
}

const change = (
  context: Context,
  { project, json = false }: Options,
  edit: (rules: readonly EgressRule[]) => EgressRule[],
): Promise<void> =>
  changeSettings(context, { name: project, json }, ({ egress = [] }) => ({
    egress: edit(egress as EgressRule[]),
  }))

import type { ProjectRole } from '@berth/contract'
import { projectRoles } from '@berth/contract'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import {
  examples,
  type JsonOptions,
  jsonOption,
  type ProjectOptions,
  projectOption,
  wholeNumber,
} from '../options.ts'
import { renderKeys } from '../render/keys.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

const days = '--days <count>'
const daysText = 'days until it expires, at most 365 (default: 90)'

export const addKey = (program: Command, context: Context): void => {
  const group = program
    .command('key')
    .summary('API keys of a project')
    .description('API keys: for programs, each with a role of its own. A key acts as itself.')
  group
    .command('ls')
    .description('Lists the keys: when each expires, and when it was last used.')
    .addOption(projectOption())
    .addOption(jsonOption('keys'))
    .action((options: Options) => list(context, options))
  const create = group
    .command('create <name>')
    .description(
      'Makes a key. The secret is printed once, to standard output; everything else goes to standard error.',
    )
    .addOption(new Option('--role <role>', 'what it may do (default: editor)').choices(projectRoles))
    .option(days, daysText, wholeNumber(1, 365))
    .addOption(projectOption())
    .addOption(jsonOption('the key with its secret'))
    .action((name: string, options: Options) => make(context, name, options))
  examples(create, [
    'berth key create nightly -p web --role editor --days 30',
    'berth key create deploy -p web > deploy-key',
  ])
  group
    .command('rotate <key>')
    .description('Gives a key another secret, which is printed once.')
    .option(
      '--grace-hours <count>',
      'how long the old secret still counts, at most 168 (default: 0)',
      wholeNumber(0, 168),
    )
    .option(days, daysText, wholeNumber(1, 365))
    .addOption(projectOption())
    .addOption(jsonOption('the key with its secret'))
    .action((key: string, options: Options) => rotate(context, key, options))
  group
    .command('revoke <key>')
    .description('Ends a key at once, in every project.')
    .addOption(projectOption())
    .action((key: string, options: Options) => revoke(context, key, options))
}

interface Options extends ProjectOptions, JsonOptions {
  role?: ProjectRole
  days?: number
  graceHours?: number
}

const list = async ({ client, out, now }: Context, { project, json }: Options): Promise<void> => {
  const { items } = await client.listKeys({ params: { project } })
  if (json === true) {
    for (const item of items) out.line(safeJson(item))
    return
  }
  if (items.length === 0) return out.line(`${safeLine(project)} has no API keys.`)
  out.line(renderKeys(items, { width: out.columns(), style: out.style, now: now() }))
}

const make = async ({ client, out, err }: Context, name: string, options: Options): Promise<void> => {
  const { project, role, days: count } = options
  const key = await client.createKey({ params: { project }, body: { name, role, days: count } })
  if (options.json === true) return out.line(safeJson(key))
  err.line(
    `Made ${key.id}, ${key.role} in ${safeLine(project)} until ${key.expiresAt.slice(0, 10)}. Keep the secret: it is not shown again.`,
  )
  out.line(key.secret)
}

const rotate = async ({ client, out, err }: Context, id: string, options: Options): Promise<void> => {
  const { project, graceHours, days: count } = options
  const key = await client.rotateKey({ params: { project, key: id }, body: { graceHours, days: count } })
  if (options.json === true) return out.line(safeJson(key))
  const old =
    graceHours === undefined || graceHours === 0 ? 'counts no more' : `counts for ${graceHours} h more`
  err.line(`${safeLine(id)} has a new secret until ${key.expiresAt.slice(0, 10)}; the old one ${old}.`)
  out.line(key.secret)
}

const revoke = async ({ client, out }: Context, id: string, { project }: Options): Promise<void> => {
  await client.revokeKey({ params: { project, key: id } })
  out.line(`Revoked ${safeLine(id)}.`)
}

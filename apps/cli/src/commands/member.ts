import { type ProjectRole, projectRoles } from '@berth/contract'
import { Argument, type Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderMembers } from '../render/members.ts'
import { subjectHelp, subjectIn } from '../subject.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

const roleArgument = () =>
  new Argument(
    '<role>',
    'viewer: read; editor: run sessions; admin: members, keys, settings, deletion',
  ).choices(projectRoles)

const force = '--force'
const forceText = 'also the last admin; for platform admins only'

export const addMember = (program: Command, context: Context): void => {
  const group = program
    .command('member')
    .summary('who may do what in a project')
    .description('Members of a project: people, groups, API keys and programs, each with a role.')
  group
    .command('ls')
    .description('Lists the members.')
    .addOption(projectOption())
    .addOption(jsonOption('members'))
    .action((options: Options) => list(context, options))
  const add = group
    .command('add')
    .description('Adds a member.')
    .argument('<subject>', subjectHelp)
    .addArgument(roleArgument())
    .option('--name <text>', 'who is shown for it')
    .addOption(projectOption())
    .addOption(jsonOption('the member'))
    .action((subject: string, role: ProjectRole, options: Options) =>
      set(context, { subject, role, options }),
    )
  examples(add, [
    'berth member add user:ada@example.com editor -p web',
    'berth member add group:/teams/web viewer -p web',
    'berth member add service:kubernetes:ci:deployer editor -p web',
  ])
  group
    .command('set')
    .description('Changes the role of a member.')
    .argument('<subject>', subjectHelp)
    .addArgument(roleArgument())
    .option(force, forceText)
    .addOption(projectOption())
    .addOption(jsonOption('the member'))
    .action((subject: string, role: ProjectRole, options: Options) =>
      set(context, { subject, role, options }),
    )
  group
    .command('rm')
    .description('Removes a member. What they may do ends at once, open streams too.')
    .argument('<subject>', subjectHelp)
    .option(force, forceText)
    .addOption(projectOption())
    .action((subject: string, options: Options) => remove(context, subject, options))
}

interface Options extends ProjectOptions, JsonOptions {
  force?: boolean
  name?: string
}

const queryOf = ({ force: forced }: Options) => ({ force: forced === true ? 'true' : 'false' }) as const

const list = async ({ client, out }: Context, { project, json }: Options): Promise<void> => {
  const { items } = await client.listMembers({ params: { project } })
  if (json === true) {
    for (const item of items) out.line(safeJson(item))
    return
  }
  if (items.length === 0) return out.line(`${safeLine(project)} has no members; platform admins may do all.`)
  out.line(renderMembers(items, { width: out.columns(), style: out.style }))
}

const set = async (
  { client, out }: Context,
  { subject, role, options }: { subject: string; role: ProjectRole; options: Options },
): Promise<void> => {
  const { project, name } = options
  const params = { project, ...subjectIn(subject) }
  const member = await client.setMember({ params, query: queryOf(options), body: { role, name } })
  if (options.json === true) return out.line(safeJson(member))
  out.line(`${safeLine(subject)} is ${role} in ${safeLine(project)}.`)
}

const remove = async ({ client, out }: Context, subject: string, options: Options): Promise<void> => {
  const { project } = options
  await client.removeMember({ params: { project, ...subjectIn(subject) }, query: queryOf(options) })
  out.line(`${safeLine(subject)} is no member of ${safeLine(project)} any more.`)
}

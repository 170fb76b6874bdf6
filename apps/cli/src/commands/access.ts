import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption } from '../options.ts'
import { renderMe, renderProjectAccess, renderRevocation } from '../render/access.ts'
import { subjectHelp, subjectIn } from '../subject.ts'
import { safeJson } from '../terminal/safe-text.ts'

export const addAccess = (program: Command, context: Context): void => {
  program
    .command('access')
    .summary('who you are, and what you may do')
    .description(
      'Shows who you are and your projects; for one project, your role, where it comes from, and what it allows.',
    )
    .argument('[project]', 'the project')
    .addOption(jsonOption('it'))
    .action((project: string | undefined, options: JsonOptions) => show(context, project, options))
}

export const addRevoke = (program: Command, context: Context): void => {
  const command = program
    .command('revoke')
    .summary('take all access from somebody, at once')
    .description(
      'Takes every membership from somebody, ends their browser sessions, and refuses their tokens of before now. For platform admins.',
    )
    .argument('<subject>', subjectHelp)
    .option('--keys', 'also revoke the API keys that they made')
    .addOption(jsonOption('what was done'))
    .action((subject: string, options: RevokeOptions) => revoke(context, subject, options))
  examples(command, ['berth revoke user:ada@example.com --keys'])
}

interface RevokeOptions extends JsonOptions {
  keys?: boolean
}

const show = async (
  { client, out }: Context,
  project: string | undefined,
  { json }: JsonOptions,
): Promise<void> => {
  const view = { width: out.columns(), style: out.style }
  if (project !== undefined) {
    const access = await client.getProjectAccess({ params: { project } })
    return out.line(json === true ? safeJson(access) : renderProjectAccess(access, view))
  }
  const me = await client.getMe()
  const projects = []
  for await (const item of client.listAll('listMyProjects', {})) projects.push(item)
  out.line(json === true ? safeJson({ ...me, projects }) : renderMe(me, projects, view))
}

const revoke = async (
  { client, out }: Context,
  text: string,
  { keys, json }: RevokeOptions,
): Promise<void> => {
  const done = await client.revokeAccess({ body: { subject: subjectIn(text), keys: keys === true } })
  out.line(
    json === true ? safeJson(done) : renderRevocation(done, { width: out.columns(), style: out.style }),
  )
}

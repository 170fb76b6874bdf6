import type { SessionSummary } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderBranches, renderRepositories } from '../render/repositories.ts'
import { sessionView } from '../render/session-view.ts'
import { addCloneOptions, type CloneOptions, cloneFields, parseRepository } from '../repository-argument.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

type Options = ProjectOptions & JsonOptions

const location = 'URL, user@host:path or path, with #branch'

export const addRepo = (program: Command, context: Context): void => {
  const group = program
    .command('repo')
    .summary('the repositories of a session')
    .description('The repositories of a session, live or stopped.')
  group
    .command('ls')
    .description('Lists them: how far each is, and what git says of it.')
    .argument('<session>', sessionArgument)
    .addOption(projectOption())
    .addOption(jsonOption('repositories'))
    .action((text: string, options: Options) => list(context, text, options))
  const add = group
    .command('add')
    .description('Adds one. A live session clones it at once; the agent is told with its next prompt.')
    .argument('<session>', sessionArgument)
    .argument('<location>', location)
    .option('-n, --name <directory>', 'directory in the workspace (default: the last part of the location)')
    .addOption(projectOption())
    .addOption(jsonOption('the summary'))
    .action((text: string, place: string, options: AddOptions) => addOne(context, { text, place, options }))
  addCloneOptions(add)
  examples(add, [
    'berth repo add last https://github.com/you/lib.git#main --depth 1',
    'berth repo add last ../docs --name manual',
  ])
  group
    .command('rm')
    .description('Takes one out. Its directory goes away between two turns; work in it is not thrown away.')
    .argument('<session>', sessionArgument)
    .argument('<name>', 'its directory')
    .option('--force', 'also with work in it, or while a turn runs')
    .addOption(projectOption())
    .addOption(jsonOption('the summary'))
    .action((text: string, name: string, options: RemoveOptions) => remove(context, { text, name, options }))
  group
    .command('retry')
    .description('Tries a clone that failed again.')
    .argument('<session>', sessionArgument)
    .argument('<name>', 'its directory')
    .addOption(projectOption())
    .addOption(jsonOption('the summary'))
    .action((text: string, name: string, options: Options) => retry(context, { text, name, options }))
}

interface AddOptions extends Options, CloneOptions {
  name?: string
}

interface RemoveOptions extends Options {
  force?: boolean
}

interface Named<O> {
  text: string
  name: string
  options: O
}

const paramsOf = async ({ client }: Context, text: string, options: Options) => {
  const { id, project } = await findSession(text, { client, project: options.project })
  return { project, session: id }
}

const list = async (context: Context, text: string, options: Options): Promise<void> => {
  const { client, out } = context
  const params = await paramsOf(context, text, options)
  const { items } = await client.listRepositories({ params })
  // A runner that is busy elsewhere must not hide the list.
  const git = items.length === 0 ? undefined : await client.getSessionGit({ params }).catch(() => undefined)
  if (options.json !== true) return out.line(renderRepositories(items, { ...sessionView(context, out), git }))
  for (const item of items)
    out.line(safeJson({ ...item, git: git?.repositories.find(({ name }) => name === item.name) }))
}

const addOne = async (
  context: Context,
  { text, place, options }: { text: string; place: string; options: AddOptions },
): Promise<void> => {
  const params = await paramsOf(context, text, options)
  const name = options.name === undefined ? {} : { name: options.name }
  const body = { ...parseRepository(place, process.cwd()), ...cloneFields(options), ...name }
  const session = await context.client.addRepository({ params, body })
  const added = session.repositories.at(-1)?.name ?? ''
  told(context, session, { options, text: `Added ${safeLine(added)}. ${whenText(session, 'cloned')}` })
}

const remove = async (context: Context, { text, name, options }: Named<RemoveOptions>): Promise<void> => {
  const params = { ...(await paramsOf(context, text, options)), name }
  const query = { force: options.force === true ? ('true' as const) : ('false' as const) }
  const session = await context.client.removeRepository({ params, query })
  told(context, session, { options, text: `Removed ${safeLine(name)}. ${whenText(session, 'taken away')}` })
}

const retry = async (context: Context, { text, name, options }: Named<Options>): Promise<void> => {
  const params = { ...(await paramsOf(context, text, options)), name }
  const session = await context.client.retryRepository({ params })
  told(context, session, { options, text: `Trying ${safeLine(name)} again. ${whenText(session, 'cloned')}` })
}

const whenText = ({ status, turn }: SessionSummary, done: string): string => {
  if (status.phase === 'stopped' || status.phase === 'failed')
    return `It is ${done} when the session goes on.`
  return done === 'cloned' || turn === undefined
    ? `It is being ${done}.`
    : `It is ${done} when the turn ends.`
}

const told = (
  { out, berth }: Context,
  session: SessionSummary,
  { options, text }: { options: Options; text: string },
): void => {
  out.line(options.json === true ? safeJson(session) : text)
  if (options.json !== true) out.line(out.style.dim(`  See: ${berth} repo ls ${shortId(session.id)}`))
}

export const addBranches = (program: Command, context: Context): void => {
  program
    .command('branches')
    .summary('the branches of a repository')
    .description(
      'Lists the branches of a repository, before there is a session with it; * marks the default one.',
    )
    .argument('<location>', 'URL, user@host:path or path')
    .addOption(projectOption())
    .addOption(jsonOption('branches'))
    .action(async (place: string, { project, json }: Options) => {
      const { client, out } = context
      const { url } = parseRepository(place, process.cwd())
      const found = await client.listBranches({ params: { project }, query: { url } })
      if (json !== true) return out.line(renderBranches(found, out.style))
      for (const branch of found.branches)
        out.line(safeJson({ ...branch, default: branch.name === found.default }))
    })
}

import type { Project, ProjectSettings } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { collect, examples, type JsonOptions, jsonOption } from '../options.ts'
import { renderSettings } from '../render/setting-list.ts'
import { renderTable } from '../render/table.ts'
import { readAssignments } from '../settings/assignments.ts'
import { settingNames } from '../settings/setting-value.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'
import { addProjectGitCredential } from './project-git-credential.ts'
import { addProjectLife } from './project-life.ts'
import { addProjectSettings, changeSettings } from './project-settings.ts'
import { addTestModel } from './test-model.ts'

export const addProject = (program: Command, context: Context): void => {
  const group = program
    .command('project')
    .summary('projects and their settings')
    .description('Projects and their settings.')
  group
    .command('ls')
    .description('Lists the projects.')
    .option('--archived', 'archived ones too')
    .addOption(jsonOption('projects'))
    .action((options: ListOptions) => list(context, options))
  group
    .command('create <name>')
    .description('Creates a project.')
    .option('--display-name <text>', 'name for people (default: the name)')
    .option('--description <text>', 'what it is for')
    .option('--set <setting=value>', 'a setting; repeatable', collect)
    .addOption(jsonOption('the project'))
    .action((name: string, options: CreateOptions) => create(context, name, options))
  group
    .command('show <name>')
    .description('Shows a project, and the settings that count in it.')
    .addOption(jsonOption('project and settings'))
    .action((name: string, options: JsonOptions) => show(context, name, options))
  const set = group
    .command('set <name> <setting=value...>')
    .description(
      'Changes settings, `displayName` and `description`, as `settings set` does. An empty value takes a setting back to the platform’s.',
    )
    .action((name: string, pairs: string[]) => change(context, name, pairs))
  examples(set, [
    'berth project set web model=claude-sonnet-4-5 turnMinutes=30',
    'berth project set web "ask=Bash(git push:*)" "ask=WebFetch"',
    'berth project set web \'allow=["Read", "Bash(npm test:*)"]\'',
    'berth project set web model=',
  ])
  addProjectSettings(group, context)
  addTestModel(group, context)
  addProjectGitCredential(group, context)
  addProjectLife(group, context)
}

interface CreateOptions extends JsonOptions {
  displayName?: string
  description?: string
  set?: string[]
}

const create = async (context: Context, name: string, options: CreateOptions): Promise<void> => {
  const { set = [], json = false, ...shown } = options
  const settings = Object.fromEntries(
    Object.entries(readAssignments(set)).filter(([, value]) => value !== null),
  )
  const project = await context.client.createProject({ body: { name, ...shown, settings } })
  if (json) return context.out.line(safeJson(project))
  context.out.line(`Created ${name}. Use it: ${context.berth} run --project ${name} …`)
}

interface ListOptions extends JsonOptions {
  archived?: boolean
}

const list = async ({ client, out }: Context, options: ListOptions): Promise<void> => {
  const projects: Project[] = []
  for await (const project of client.listAll('listProjects', {
    query: { archived: options.archived === true ? 'true' : 'false' },
  }))
    projects.push(project)
  if (options.json === true) {
    for (const project of projects) out.line(safeJson(project))
    return
  }
  const columns = [
    { title: 'NAME' },
    { title: 'SESSIONS', right: true },
    { title: 'DISPLAY NAME', shrinks: true },
    { title: 'DESCRIPTION', shrinks: true },
  ]
  const rows = projects.map((project) => [
    { text: `${project.name}${project.state === 'archived' ? ' (archived)' : ''}`, paint: out.style.bold },
    { text: String(project.sessions) },
    { text: safeLine(project.displayName) },
    { text: safeLine(project.description), paint: out.style.dim },
  ])
  out.line(renderTable({ columns, rows }, { width: out.columns(), style: out.style }))
}

/** Those that a project sets, and those that have a value anyway and are asked for most. */
const shownSettings = ({ own, effective }: ProjectSettings): string[] => {
  const usual = [
    'model',
    'allowedModels',
    'otherwise',
    'memoryMiB',
    'cpus',
    'turnMinutes',
    'idleMinutes',
    'undoHours',
  ]
  return settingNames.filter(
    (name) => Object.hasOwn(own, name) || (usual.includes(name) && effective[name] !== undefined),
  )
}

const show = async ({ client, out, berth }: Context, name: string, options: JsonOptions): Promise<void> => {
  const params = { project: name }
  const [project, values] = await Promise.all([
    client.getProject({ params }),
    client.getProjectSettings({ params }),
  ])
  if (options.json === true) return out.line(safeJson({ ...project, settings: values }))
  const { style } = out
  out.line(
    `${style.bold(safeLine(project.displayName))} ${style.dim(`${project.name}, ${project.sessions} ${project.sessions === 1 ? 'session' : 'sessions'}`)}`,
  )
  if (project.description !== '') out.line(`  ${safeLine(project.description)}`)
  out.line()
  out.line(renderSettings(shownSettings(values), values, { width: out.columns(), style }))
  out.line(style.dim(`  All settings: ${berth} project settings get ${project.name}`))
}

const change = async (context: Context, name: string, pairs: readonly string[]): Promise<void> => {
  const { client, out } = context
  const isShown = (pair: string) => /^(displayName|description)=/.test(pair)
  const shown = pairs.filter(isShown).map((pair) => pair.split(/=(.*)/s).slice(0, 2))
  const own = pairs.filter((pair) => !isShown(pair))
  // What is not valid is told before anything changes.
  readAssignments(own)
  if (shown.length > 0) {
    const params = { project: name }
    const { version } = await client.getProject({ params })
    await client.updateProject({ params, body: Object.fromEntries(shown), ifMatch: version })
  }
  if (own.length > 0)
    return changeSettings(context, { name, json: false }, (now) => readAssignments(own, { own: now }))
  out.line(`Changed ${name}.`)
}

import { type Project, settings } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption } from '../options.ts'
import { renderSettings } from '../render/settings.ts'
import { renderTable } from '../render/table.ts'
import { settingValues, splitPair } from '../setting-pairs.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

export const addProject = (program: Command, context: Context): void => {
  const group = program
    .command('project')
    .summary('projects and their settings')
    .description('Projects and their settings.')
  group
    .command('ls')
    .description('Lists the projects.')
    .addOption(jsonOption('projects'))
    .action((options: JsonOptions) => list(context, options))
  group
    .command('create <name>')
    .description('Creates a project.')
    .option('--display-name <text>', 'name for people (default: the name)')
    .option('--description <text>', 'what it is for')
    .action(async (name: string, options: { displayName?: string; description?: string }) => {
      await context.client.createProject({ body: { name, ...options } })
      context.out.line(`Created ${name}. Use it: ${context.berth} run --project ${name} …`)
    })
  group
    .command('show <name>')
    .description('Shows a project, and the settings that count in it.')
    .addOption(jsonOption('project and settings'))
    .action((name: string, options: JsonOptions) => show(context, name, options))
  const set = group
    .command('set <name> <setting=value...>')
    .description(
      'Changes settings, `displayName` and `description`. An empty value takes a setting back to the platform’s.',
    )
    .action((name: string, pairs: string[]) => change(context, name, pairs))
  examples(set, [
    'berth project set web model=claude-sonnet-4-5 turnMinutes=30',
    'berth project set web "ask=Bash(git push:*)" "ask=WebFetch"',
    'berth project set web \'allow=["Read", "Bash(npm test:*)"]\'',
    'berth project set web model=',
  ])
  group
    .command('rm <name>')
    .description('Deletes a project that has no sessions.')
    .requiredOption('--confirm <name>', 'the name again')
    .action(async (name: string, options: { confirm: string }) => {
      await context.client.deleteProject({ params: { project: name }, query: { confirm: options.confirm } })
      context.out.line(`Deleted ${name}.`)
    })
}

const list = async ({ client, out }: Context, options: JsonOptions): Promise<void> => {
  const projects: Project[] = []
  for await (const project of client.listAll('listProjects', {})) projects.push(project)
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
    { text: project.name, paint: out.style.bold },
    { text: String(project.sessions) },
    { text: safeLine(project.displayName) },
    { text: safeLine(project.description), paint: out.style.dim },
  ])
  out.line(renderTable({ columns, rows }, { width: out.columns(), style: out.style }))
}

const show = async ({ client, out }: Context, name: string, options: JsonOptions): Promise<void> => {
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
  out.line(renderSettings(values, { style, columns: out.columns() }))
}

const shownNames = ['displayName', 'description']

const change = async ({ client, out }: Context, name: string, pairs: readonly string[]): Promise<void> => {
  const params = { project: name }
  const split = pairs.map((pair) => splitPair(pair, [...shownNames, ...Object.keys(settings.shape)]))
  const shown = Object.fromEntries(
    split.filter(({ name }) => shownNames.includes(name)).map(({ name, value }) => [name, value]),
  )
  // The contract's schema of this body is a map whose values it doesn't name; the backend checks each.
  const own = settingValues(split.filter(({ name }) => !shownNames.includes(name))) as Record<string, never>
  if (Object.keys(shown).length > 0) {
    const { version } = await client.getProject({ params })
    await client.updateProject({ params, body: shown, ifMatch: version })
  }
  if (Object.keys(own).length > 0) {
    const { version } = await client.getProjectSettings({ params })
    await client.updateProjectSettings({ params, body: own, ifMatch: version })
  }
  out.line(`Changed ${name}.`)
}

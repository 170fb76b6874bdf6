import { setTimeout as sleep } from 'node:timers/promises'
import { isBerthError, type ProjectDeletion } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples } from '../options.ts'
import { safeLine } from '../terminal/safe-text.ts'

/** Between two looks at a deletion. */
const lookMs = 500

/** Names, archive and end of projects. */
export const addProjectLife = (group: Command, context: Context): void => {
  group
    .command('rename <name> <text>')
    .description(
      'Changes the name for people. The project’s own name stays: it is in addresses and on clusters.',
    )
    .action(async (name: string, text: string) => {
      const params = { project: name }
      const { version } = await context.client.getProject({ params })
      await context.client.updateProject({ params, body: { displayName: text }, ifMatch: version })
      context.out.line(`${name} is shown as ${safeLine(text)}.`)
    })
  group
    .command('archive <name>')
    .description('Archives a project: its sessions stop, and from then on it can only be read.')
    .action(async (name: string) => {
      await context.client.archiveProject({ params: { project: name } })
      context.out.line(`Archived ${name}. Take it out again: ${context.berth} project unarchive ${name}`)
    })
  group
    .command('unarchive <name>')
    .description('Takes a project out of the archive. Its sessions stay stopped until they are resumed.')
    .action(async (name: string) => {
      await context.client.unarchiveProject({ params: { project: name } })
      context.out.line(`${name} is active again.`)
    })
  const remove = group
    .command('rm <name>')
    .description(
      'Deletes a project with all of its sessions, files, settings, members and keys, and waits until it is gone. Its audit stays. ' +
        'It can’t be taken back.',
    )
    .requiredOption('--confirm <name>', 'the name again')
    .option('-d, --detach', 'don’t wait')
    .action((name: string, options: RemoveOptions) => deleteProject(context, name, options))
  examples(remove, ['berth project rm experiments --confirm experiments'])
}

interface RemoveOptions {
  confirm: string
  detach?: boolean
}

const deleteProject = async (context: Context, name: string, options: RemoveOptions): Promise<void> => {
  const { client, out, err } = context
  const params = { project: name }
  let deletion: ProjectDeletion | undefined = await client.deleteProject({
    params,
    query: { confirm: options.confirm },
  })
  if (options.detach === true) return out.line(`${name} is being deleted.`)
  let told = ''
  while (deletion !== undefined) {
    const line = progress(deletion)
    if (line !== told) err.line(err.style.dim(`  ${line}`))
    told = line
    await sleep(lookMs)
    deletion = await client.getProjectDeletion({ params }).catch(goneOrThrow)
  }
  out.line(`Deleted ${name}.`)
}

const goneOrThrow = (error: unknown): undefined => {
  if (isBerthError(error) && error.code === 'project_not_found') return undefined
  throw error
}

const progress = ({ step, sessions: { total, left } }: ProjectDeletion): string => {
  const steps = {
    sessions: `Sessions: ${left} of ${total} are left`,
    runtime: 'What the runtime keeps for the project',
    bases: 'Base packs',
    rest: 'Settings, members and usage',
  }
  return steps[step]
}

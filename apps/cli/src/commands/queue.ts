import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderQueue } from '../render/queue.ts'
import { safeJson } from '../terminal/safe-text.ts'

export const addQueue = (program: Command, context: Context): void => {
  program
    .command('queue')
    .summary('list the sessions that wait for room')
    .description(
      'Lists the sessions of a project that wait until there is room for them: place, reason and time, and how much room there is.',
    )
    .addOption(projectOption())
    .addOption(jsonOption('the queue'))
    .action(async ({ project, json }: ProjectOptions & JsonOptions) => {
      const { client, out, now } = context
      const queue = await client.getQueue({ params: { project } })
      const view = { width: out.columns(), style: out.style, now: now() }
      out.line(json === true ? safeJson(queue) : renderQueue(queue, view))
    })
}

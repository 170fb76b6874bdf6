import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { bytes } from '../render/amounts.ts'
import { age } from '../render/duration.ts'
import { renderTable } from '../render/table.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { turnCheckpoints } from '../turn-ref.ts'

const columns = [
  { title: 'TURN', right: true },
  { title: 'AGE' },
  { title: 'FILES', right: true },
  { title: 'ADDED', right: true },
  { title: 'ID' },
]

export const addCheckpoints = (program: Command, context: Context): void => {
  program
    .command('checkpoints')
    .summary('list the turns that a session can be taken back to')
    .description(
      'Lists the turns of a session with a checkpoint: what `berth fork` and `berth restore` take, by number or id.',
    )
    .argument('<session>', sessionArgument)
    .addOption(projectOption())
    .addOption(jsonOption('the checkpoints'))
    .action(async (text: string, options: ProjectOptions & JsonOptions) => {
      const { client, out, err, now } = context
      const { id, project } = await findSession(text, { client, project: options.project })
      const items = await turnCheckpoints(client, { project, session: id })
      if (options.json === true) for (const item of items) out.line(safeJson(item))
      else if (items.length === 0)
        err.line('No checkpoint of a turn yet: the first is taken after the first turn.')
      else {
        const rows = items.map(({ at, files, size, turn = '' }, index) =>
          [String(index + 1), age(at, now()), String(files), bytes(size), turn].map((cell) => ({
            text: cell,
          })),
        )
        out.line(renderTable({ columns, rows }, { width: out.columns(), style: out.style }))
      }
    })
}

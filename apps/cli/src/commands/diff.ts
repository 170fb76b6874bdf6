import type { SessionChanges } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderPatch, renderStat } from '../render/diff.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'

interface DiffOptions extends ProjectOptions, JsonOptions {
  turn?: string | true
  repo?: string
  stat?: boolean
}

export const addDiff = (program: Command, context: Context): void => {
  program
    .command('diff')
    .summary('show what a session changed')
    .description(
      'Shows what a session changed since its base, also when it is stopped. Piped, it is what `git apply` takes.',
    )
    .argument('<session>', sessionArgument)
    .option('--turn [turn]', 'only what this turn changed (default: the last one)')
    .option('--repo <name>', 'only this repository')
    .option('--stat', 'files and counts only')
    .addOption(projectOption())
    .addOption(jsonOption('the changes'))
    .action(async (text: string, options: DiffOptions) => {
      const { id, project } = await findSession(text, { client: context.client, project: options.project })
      await printDiff(context, { project, session: id }, options)
    })
}

/** Prints the changes of a session, repository by repository. */
export const printDiff = async (
  { client, out, err }: Context,
  params: { project: string; session: string },
  options: Omit<DiffOptions, 'project'>,
): Promise<void> => {
  const turn = typeof options.turn === 'string' ? { turn: options.turn } : {}
  const changes = chosen(await client.getChanges({ params, query: turn }), options.repo)
  if (options.json === true) return out.line(safeJson(changes))
  const perTurn = options.turn !== undefined
  if (options.stat === true)
    return out.line(renderStat(changes, { width: out.columns(), style: out.style, turn: perTurn }))
  const changed = changes.repositories.filter((item) => (perTurn ? item.turn : item.total).files > 0)
  if (changed.length === 0) return err.line('No changes.')
  for (const { name } of changed) {
    const query = { ...turn, repository: name, against: perTurn ? ('turn' as const) : ('base' as const) }
    const patch = await client.getPatch({ params, query })
    if (changed.length > 1) err.line(err.style.bold(`# ${name}`))
    // A pipe gets the bytes as they are, so that they apply.
    out.write(out.isTty ? `${renderPatch(patch.trimEnd(), out.style)}\n` : patch)
  }
}

const chosen = (changes: SessionChanges, repository: string | undefined): SessionChanges => {
  if (repository === undefined) return changes
  const repositories = changes.repositories.filter((item) => item.name === repository)
  if (repositories.length > 0) return { ...changes, repositories }
  const names = changes.repositories.map((item) => item.name).join(', ') || 'none'
  throw new ExitError('refused', `The session has no repository ${repository}. It has: ${names}.`)
}

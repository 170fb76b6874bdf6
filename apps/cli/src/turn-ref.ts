import type { Client } from '@berth/client'
import { type CheckpointItem, turnId } from '@berth/contract'
import { ExitError } from './exit-code.ts'
import { safeLine } from './terminal/safe-text.ts'

/** What a person may write for a turn. */
export const turnArgument = 'number as `berth checkpoints` lists it, -1 for the last one, or id'

/** Checkpoints after turns, oldest first: what turns are counted by. The last one of a turn counts. */
export const turnCheckpoints = async (
  client: Client,
  params: { project: string; session: string },
): Promise<CheckpointItem[]> => {
  const byTurn = new Map<string, CheckpointItem>()
  for await (const item of client.listAll('listCheckpoints', { params, query: { limit: 200 } }))
    if (item.turn !== undefined && !byTurn.has(item.turn)) byTurn.set(item.turn, item)
  return [...byTurn.values()].reverse()
}

/** The turn that a person means. */
export const findTurn = async (
  client: Client,
  params: { project: string; session: string },
  text: string,
): Promise<string> => {
  if (turnId.safeParse(text).success) return text
  const number = /^-?\d{1,6}$/.test(text) ? Number(text) : 0
  if (number === 0)
    throw new ExitError('usage', `${safeLine(text)} is no turn: write a ${turnArgument.replaceAll('`', '')}.`)
  const turns = await turnCheckpoints(client, params)
  const found = number < 0 ? turns.at(number) : turns[number - 1]
  if (found?.turn !== undefined) return found.turn
  throw new ExitError(
    'refused',
    turns.length === 0
      ? 'The session has no checkpoint of a turn yet.'
      : `There is no turn ${number} with a checkpoint. The session has ${turns.length}; \`berth checkpoints\` lists them.`,
  )
}

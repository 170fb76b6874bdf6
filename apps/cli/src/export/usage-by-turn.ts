import { type AnyEvent, addUsage, noUsage, type Usage } from '@berth/contract'

/** What each turn used, collected from the log. */
export const createUsageByTurn = () => {
  const turns = new Map<string, Usage>()
  return {
    push: (event: AnyEvent) => {
      if (event.type !== 'model.usage' || event.data.turn === undefined) return
      const { turn, ...data } = event.data
      turns.set(turn, addUsage(turns.get(turn) ?? noUsage, { requests: 1, ...data }))
    },
    of: (turn: string): Usage => turns.get(turn) ?? noUsage,
  }
}

import type { EventOf } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'

type Item = EventOf<'agent.todos'>['data']['items'][number]

/** Items of a new list that are shown. */
const longest = 12

/** The agent's list of things to do: whole when it is new, afterwards what changed in it. */
export const createTodoLines = (style: Style) => {
  let turn = ''
  let before = new Map<string, Item['state']>()

  const signs = {
    pending: (text: string) => style.dim(`☐ ${text}`),
    'in-progress': (text: string) => `${style.cyan('▸')} ${text}`,
    completed: (text: string) => `${style.green('☑')} ${style.dim(text)}`,
  }
  return ({ data }: EventOf<'agent.todos'>): string | undefined => {
    const isNew = data.turn !== turn
    const changed = isNew ? data.items : data.items.filter(({ text, state }) => before.get(text) !== state)
    turn = data.turn
    before = new Map(data.items.map(({ text, state }) => [text, state]))
    if (changed.length === 0) return undefined
    const done = data.items.filter(({ state }) => state === 'completed').length
    const shown = changed.slice(0, longest).map(({ text, state }) => `  ${signs[state](safeLine(text))}`)
    const more = changed.length - shown.length
    const head = isNew ? [style.dim(`  To do: ${done} of ${data.items.length} done`)] : []
    return [...head, ...shown, ...(more > 0 ? [style.dim(`  … and ${more} more`)] : [])].join('\n')
  }
}

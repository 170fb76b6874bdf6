import type { EventData } from '@berth/contract'
import { clip } from './bounds.ts'
import type { Emit } from './fact.ts'
import { type Fields, fieldsOf, isFields, listOf, optionalText, textOf } from './fields.ts'

type Item = EventData<'agent.todos'>['items'][number]

/** The list of things to do that the agent keeps, read from what its tools answer. */
export interface TodoList {
  /** The agent uses a tool. */
  used(tool: string, toolUse: string): void
  /** A tool answered; `value` is Claude Code's own form of the answer. */
  answered(toolUse: string, value: unknown): void
}

const maxItems = 200
const listTools = new Set(['TaskCreate', 'TaskUpdate', 'TaskList', 'TodoWrite'])

const states: Record<string, Item['state']> = {
  pending: 'pending',
  in_progress: 'in-progress',
  completed: 'completed',
}

const itemOf = (text: unknown, status: unknown): Item => ({
  text: clip(textOf(text), 500),
  state: states[textOf(status)] ?? 'pending',
})

const whole = (tasks: unknown, textField: string): Map<string, Item> =>
  new Map(
    listOf(tasks)
      .slice(0, maxItems)
      .map(fieldsOf)
      .map((task, index) => [textOf(task.id) || String(index), itemOf(task[textField], task.status)]),
  )

/** The list after a tool's answer; undefined: it says nothing about the list. */
const after = (items: ReadonlyMap<string, Item>, answer: Fields): Map<string, Item> | undefined => {
  if (Array.isArray(answer.tasks)) return whole(answer.tasks, 'subject')
  if (Array.isArray(answer.newTodos)) return whole(answer.newTodos, 'content')
  if (isFields(answer.task)) {
    const id = textOf(answer.task.id)
    if (items.size >= maxItems || id === '') return undefined
    return new Map(items).set(id, itemOf(answer.task.subject, 'pending'))
  }
  const id = optionalText(answer.taskId)
  const item = id === undefined ? undefined : items.get(id)
  if (id === undefined || item === undefined) return undefined
  const to = textOf(fieldsOf(answer.statusChange).to)
  const next = new Map(items)
  if (to === 'deleted') next.delete(id)
  else next.set(id, { ...item, state: states[to] ?? item.state })
  return next
}

/** Follows the list, and tells it when it changes. */
export const createTodoList = (deps: { emit: Emit; turn: () => string | undefined }): TodoList => {
  const open = new Set<string>()
  let items: ReadonlyMap<string, Item> = new Map()
  let told = '[]'
  return {
    used(tool, toolUse) {
      if (listTools.has(tool) && open.size < maxItems) open.add(toolUse)
    },
    answered(toolUse, value) {
      if (!open.delete(toolUse)) return
      items = after(items, fieldsOf(value)) ?? items
      const list = [...items.values()]
      const turn = deps.turn()
      if (turn === undefined || JSON.stringify(list) === told) return
      told = JSON.stringify(list)
      deps.emit({ type: 'agent.todos', data: { turn, items: list } })
    },
  }
}

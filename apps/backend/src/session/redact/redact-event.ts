import type { Event, EventType, NewEvent } from '@berth/contract'
import type { Hider } from './hider.ts'

/** What people say in events that keep something exact: only this of them is looked through. */
const saidByPeople: Partial<Record<EventType, readonly string[]>> = {
  // What a session sets and where it works is carried out as it is.
  'session.created': ['title', 'labels'],
  'session.settings_changed': [],
  'operation.requested': [],
  'workspace.restore_requested': [],
  'repository.added': [],
  'repository.removed': [],
  'repository.retried': [],
  'repository.pushed': [],
}

/** An event without the values of secrets. The same object back: there was none in it. */
export const redactEvent = (event: NewEvent, hider: Hider): NewEvent => {
  const fields = saidByPeople[event.type]
  const data = fields === undefined ? hide(event.data, hider) : hideFields(event.data, { fields, hider })
  return data === event.data ? event : ({ ...event, data } as NewEvent)
}

const hideFields = (
  data: Event['data'],
  { fields, hider }: { fields: readonly string[]; hider: Hider },
): unknown => {
  const changes = Object.entries(data).flatMap(([key, value]) => {
    const hidden = fields.includes(key) ? hide(value, hider) : value
    return hidden === value ? [] : [[key, hidden]]
  })
  return changes.length === 0 ? data : { ...data, ...Object.fromEntries(changes) }
}

/** Every text in a value, the names of fields too: what an agent makes may stand there. */
const hide = (value: unknown, hider: Hider): unknown => {
  if (typeof value === 'string') return hider.whole(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items = value.map((item) => hide(item, hider))
    return items.every((item, i) => item === value[i]) ? value : items
  }
  const entries = Object.entries(value)
  // The beginning of a text whose rest is in the blob store: its cut may lie in a secret.
  if ('full' in value && value.full !== undefined && 'text' in value && typeof value.text === 'string') {
    const text = hider.beginning(value.text)
    return text === value.text ? value : { ...value, text }
  }
  const hidden = entries.map(([key, inner]) => [hider.whole(key), hide(inner, hider)] as const)
  const same = hidden.every(([key, inner], i) => key === entries[i]?.[0] && inner === entries[i]?.[1])
  return same ? value : Object.fromEntries(hidden)
}

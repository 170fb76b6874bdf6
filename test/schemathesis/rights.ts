import {
  type ErrorCode,
  includesRole,
  type ProjectRole,
  projectRoles,
  type Route,
  type RouteName,
  routes,
} from '@berth/contract'
import type { Caller } from './callers.ts'

/** A request and how it was answered. */
export interface Answered {
  method: string
  /** With the query. */
  address: string
  status: number
  /** Of a problem. */
  code?: string
}

const rows = (Object.entries(routes) as [RouteName, Route][]).map(([name, row]) => ({
  name,
  row,
  form: new RegExp(`^${row.path.replace(/:([a-z]+)/g, '(?<$1>[^/]+)')}$`),
}))

const decoded = (part: string | undefined): string | undefined => {
  try {
    return part === undefined ? undefined : decodeURIComponent(part)
  } catch {
    return undefined
  }
}

/** The row that a request asks, with the project of its path; undefined: there is none. */
export const rowOf = ({ method, address }: Pick<Answered, 'method' | 'address'>) => {
  const path = address.replace(/[?#].*$/s, '')
  const asked = method === 'HEAD' ? 'GET' : method
  for (const { name, row, form } of rows) {
    const match = row.method === asked ? form.exec(path) : null
    if (match !== null) return { name, row, project: decoded(match.groups?.project) }
  }
  return undefined
}

const isProjectRole = (role: Route['role']): role is ProjectRole =>
  (projectRoles as readonly string[]).includes(role)

/** With which errors a row refuses a caller, whatever it sends; undefined: the caller may call it. */
const refusals = (row: Route, caller: Caller, place?: string): ErrorCode[] | undefined => {
  if (row.role === 'public') return undefined
  if (caller.token === undefined) return ['unauthenticated']
  if (row.role === 'principal' || caller.platformAdmin === true) return undefined
  if (!isProjectRole(row.role)) return ['forbidden']
  const role = place !== undefined && Object.hasOwn(caller.roles, place) ? caller.roles[place] : undefined
  if (role === undefined) return ['project_not_found']
  // All of them but the owner are keys.
  return row.keys === false || !includesRole(role, row.role) ? ['forbidden'] : undefined
}

/** A runner that did not answer is no fault of the backend, which says so. */
const outside: readonly string[] = ['operation_timeout']

/** Says nothing of rights: nobody was looked at yet, or the credential was taken away to see that it is needed. */
const silent: readonly string[] = ['too_large', 'unauthenticated']

/** What a body may ask for that needs more than the row. */
const askMore: readonly RouteName[] = [
  // Only as an editor of the project where the fork goes.
  'forkSession',
  // Not by a key, when it is about an admin.
  'setMember',
  'removeMember',
]

/** What is wrong with an answer; undefined: nothing. */
const surpriseOf = (answer: Answered, caller: Caller): string | undefined => {
  const { status, code = 'none' } = answer
  if (status === 429) return 'was throttled, which hides what it would have answered'
  if (status >= 500 && !outside.includes(code)) return 'is a fault'
  const asked = rowOf(answer)
  if (asked === undefined) return status < 400 ? 'is no row, and yet succeeded' : undefined
  const refused = refusals(asked.row, caller, asked.project)
  if (refused?.includes(code as ErrorCode) === true || silent.includes(code)) return undefined
  if (refused !== undefined) return `should answer ${refused.join(' or ')}`
  if (code !== 'forbidden' || asked.row.owner === true || askMore.includes(asked.name)) return undefined
  return `is refused, although ${caller.name} has the role ${asked.row.role}`
}

/** Each answer that contradicts the rows, once for its kind. */
export const surprises = (answers: readonly Answered[], caller: Caller): string[] => {
  const found = new Map<string, string>()
  for (const answer of answers) {
    const { method, address, status, code } = answer
    const surprise = surpriseOf(answer, caller)
    if (surprise === undefined) continue
    const said = code === undefined ? String(status) : `${status} ${code}`
    const kind = `${rowOf(answer)?.name ?? method} ${said} ${surprise}`
    if (!found.has(kind))
      found.set(kind, `${method} ${address.slice(0, 200)} answered ${said}: it ${surprise}`)
  }
  return [...found.values()]
}

/** The rows that were not asked as this caller: never at all, or always without its credential. */
export const unasked = (answers: readonly Answered[], caller: Caller): RouteName[] => {
  const counts = ({ code }: Answered) => caller.token === undefined || code !== 'unauthenticated'
  const asked = new Set(answers.filter(counts).map((answer) => rowOf(answer)?.name))
  return rows.filter(({ name, row }) => row.role !== 'public' && !asked.has(name)).map(({ name }) => name)
}

/** The rows that did what they are for, at least once. */
export const succeeded = (answers: readonly Answered[]): RouteName[] => {
  const names = answers.filter(({ status }) => status < 400).map((answer) => rowOf(answer)?.name)
  return [...new Set(names.filter((name) => name !== undefined))]
}

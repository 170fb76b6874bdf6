import type { ProjectMember } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { moment } from './duration.ts'
import { renderTable } from './table.ts'

/** The members of a project as a table, those who may most first. */
export const renderMembers = (
  members: readonly ProjectMember[],
  { width, style }: { width: number; style: Style },
): string => {
  const columns = [
    { title: 'ROLE' },
    { title: 'MEMBER', shrinks: true, min: 16 },
    { title: 'NAME', shrinks: true, optional: true },
    { title: 'ADDED', optional: true },
    { title: 'BY', shrinks: true, optional: true },
  ]
  const rows = members
    .toSorted((a, b) => rank(b) - rank(a))
    .map(({ kind, id, role, name = '', addedAt, addedBy }) => [
      { text: role, paint: role === 'admin' ? style.bold : undefined },
      { text: safeLine(`${kind}:${id}`) },
      { text: safeLine(name) },
      { text: moment(addedAt), paint: style.dim },
      { text: safeLine(addedBy.name ?? addedBy.id), paint: style.dim },
    ])
  return renderTable({ columns, rows }, { width, style })
}

const rank = ({ role }: ProjectMember): number => ['viewer', 'editor', 'admin'].indexOf(role)

import type { Me, ProjectAccess, Revocation } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { moment } from './duration.ts'
import { renderTable } from './table.ts'
import { wrap } from './wrap.ts'

interface View {
  width: number
  style: Style
}

/** Who somebody is, and their projects. */
export const renderMe = (
  me: Me,
  projects: readonly { project: string; role: string }[],
  { width, style }: View,
): string => {
  const { principal, groups, expiresAt } = me
  const name = principal.name === undefined ? '' : ` ${style.dim(safeLine(principal.name))}`
  const lines = [`${style.bold(safeLine(`${principal.kind}:${principal.id}`))}${name}`]
  if (me.platformAdmin) lines.push('  platform admin: may do everything in every project')
  else if (me.mayCreateProjects) lines.push('  may create projects')
  if (groups.length > 0) lines.push(wrap(`  groups: ${groups.map(safeLine).join(', ')}`, width, 4))
  if (expiresAt !== undefined) lines.push(`  signed in until ${moment(expiresAt)}`)
  if (projects.length === 0)
    return [...lines, '', 'No projects. Ask a project’s admin to add you.'].join('\n')
  const rows = projects.map(({ project, role }) => [{ text: project }, { text: role }])
  const columns = [{ title: 'PROJECT', shrinks: true }, { title: 'ROLE' }]
  return [...lines, '', renderTable({ columns, rows }, { width, style })].join('\n')
}

/** What somebody may do in a project, and why. */
export const renderProjectAccess = (
  { project, role, sources, permissions }: ProjectAccess,
  { width, style }: View,
): string => {
  const why = sources.map(({ kind, id, role: given }) =>
    kind === 'platform-admin' ? '  as a platform admin' : `  ${given} as ${safeLine(`${kind}:${id}`)}`,
  )
  return [
    `${style.bold(role)} in ${project}`,
    ...why,
    '',
    wrap(`May: ${permissions.join(', ')}`, width, 2),
  ].join('\n')
}

/** What a revocation took away. */
export const renderRevocation = (
  { subject, memberships, keys, sessions, withoutAdmin, revokedBefore }: Revocation,
  { width, style }: View,
): string => {
  const list = memberships.map(({ project, role }) => `${project} (${role})`).join(', ')
  const lines = [
    style.bold(`Revoked ${safeLine(`${subject.kind}:${subject.id}`)}`),
    `  memberships: ${list === '' ? 'none' : list}`,
    `  API keys: ${keys.length === 0 ? 'none' : keys.map(({ id }) => id).join(', ')}`,
    `  browser sessions and login links: ${sessions}`,
    `  tokens of before ${moment(revokedBefore)} count no more`,
  ]
  if (withoutAdmin.length > 0)
    lines.push(style.yellow(`  without an admin now: ${withoutAdmin.join(', ')}. Make somebody one.`))
  return lines.map((line) => wrap(line, width, 4)).join('\n')
}

import type { EgressRule } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { renderTable } from './table.ts'

/** The rules of a project about other hosts. Of headers the names alone. */
export const renderEgress = (
  rules: readonly EgressRule[],
  { width, style }: { width: number; style: Style },
): string => {
  if (rules.length === 0) return 'No host may be reached. Allow one: berth egress allow registry.npmjs.org'
  const columns = [
    { title: 'HOST' },
    { title: 'METHODS' },
    { title: 'PATHS', shrinks: true },
    { title: 'ADDED HEADERS', shrinks: true },
  ]
  const rows = rules.map(
    ({ scheme = 'https', host, port, methods = ['GET', 'HEAD'], paths, headers = {} }) => [
      {
        text: `${scheme === 'http' ? 'http://' : ''}${safeLine(host)}${port === undefined ? '' : `:${port}`}`,
        paint: style.bold,
      },
      { text: methods.join(' ') },
      { text: paths === undefined ? 'all' : safeLine(paths.join(' ')) },
      { text: safeLine(Object.keys(headers).join(', ')), paint: style.dim },
    ],
  )
  return renderTable({ columns, rows }, { width, style })
}

import type { FileEntry } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { bytes } from './amounts.ts'
import { renderTable } from './table.ts'

/** Files as a table: permissions, size, time, name; a directory ends with a slash, a link says where it leads. */
export const renderFiles = (
  files: readonly FileEntry[],
  { width, style }: { width: number; style: Style },
): string =>
  renderTable(
    {
      columns: [
        { title: 'MODE' },
        { title: 'SIZE', right: true },
        { title: 'CHANGED' },
        { title: 'NAME', shrinks: true, min: 20 },
      ],
      rows: files.map((file) => [
        { text: modeText(file), paint: style.dim },
        { text: file.kind === 'file' ? bytes(file.size) : '' },
        { text: (file.modifiedAt ?? '').slice(0, 16).replace('T', ' ') },
        { text: nameText(file) },
      ]),
    },
    { width, style },
  )

const kinds = { file: '-', directory: 'd', link: 'l', other: '?' } as const

const modeText = ({ kind, mode }: FileEntry): string =>
  kinds[kind] +
  [6, 3, 0]
    .map((shift) => (mode >> shift) & 7)
    .map((bits) => `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`)
    .join('')

const nameText = ({ name, kind, target }: FileEntry): string => {
  const shown = safeLine(name)
  if (kind === 'directory') return `${shown}/`
  return target === undefined ? shown : `${shown} -> ${safeLine(target)}`
}

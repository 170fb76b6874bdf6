import type { SessionChanges } from '@berth/contract'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { fit, padEnd, textWidth } from '../terminal/width.ts'
import { diffStatText } from './amounts.ts'

/** A unified diff with colours. The lines themselves are the agent's work: made safe, never changed otherwise. */
export const renderPatch = (patch: string, style: Style): string =>
  safeText(patch)
    .split('\n')
    .map((line) => paintLine(line, style))
    .join('\n')

const paintLine = (line: string, style: Style): string => {
  if (/^(diff|index|new file|deleted file|similarity|rename|old mode|new mode|Binary)/.test(line))
    return style.bold(line)
  if (line.startsWith('+++') || line.startsWith('---')) return style.bold(line)
  if (line.startsWith('@@')) return style.cyan(line)
  if (line.startsWith('+')) return style.green(line)
  return line.startsWith('-') ? style.red(line) : line
}

/** The changed files with their counts, like `git diff --stat`. */
export const renderStat = (
  changes: SessionChanges,
  { width, style, turn }: { width: number; style: Style; turn: boolean },
): string =>
  changes.repositories
    .flatMap((repository) => {
      const stat = turn ? repository.turn : repository.total
      const head = `${style.bold(repository.name)}  ${diffStatText(stat, style) || style.dim('no changes')}`
      const names = repository.files.map((file) =>
        safeLine(file.from === undefined ? file.path : `${file.from} → ${file.path}`),
      )
      const size = Math.min(Math.max(0, ...names.map(textWidth)), Math.max(10, width - 24))
      const files = repository.files.map((file, i) => {
        const counts = file.binary
          ? 'binary'
          : `${style.green(`+${file.insertions}`)} ${style.red(`−${file.deletions}`)}`
        return `  ${padEnd(fit(names[i] ?? '', size), size)}  ${counts}${file.status === 'modified' ? '' : ` ${style.dim(file.status)}`}`
      })
      const note =
        repository.truncated === undefined ? [] : [style.yellow(`  ${safeLine(repository.truncated)}`)]
      return [head, ...(turn ? [] : files), ...note]
    })
    .join('\n')

import type { Phase, SessionSummary } from '@berth/contract'
import type { Style } from '../terminal/style.ts'

type Paint = keyof Style

const looks: Record<Phase, { icon: string; paint: Paint }> = {
  pending: { icon: '○', paint: 'blue' },
  starting: { icon: '◐', paint: 'blue' },
  idle: { icon: '●', paint: 'green' },
  working: { icon: '●', paint: 'cyan' },
  waiting: { icon: '?', paint: 'yellow' },
  stopping: { icon: '◑', paint: 'dim' },
  stopped: { icon: '□', paint: 'dim' },
  failed: { icon: '✗', paint: 'red' },
}

/** The phase with its sign, and the reason where it has one. */
export const phaseText = ({ status, deletedAt }: SessionSummary, style: Style): string => {
  if (deletedAt !== undefined) return style.dim('□ deleted')
  const { icon, paint } = looks[status.phase] ?? { icon: '·', paint: 'dim' as const }
  const reason = 'reason' in status && status.phase !== 'pending' ? ` (${status.reason})` : ''
  return style[paint](`${icon} ${status.phase}${reason}`)
}

/** What must be said wherever a session is shown: no real model, no sandbox. */
export const warningsOf = (session: Pick<SessionSummary, 'modelSource' | 'sandboxed'>): string[] => [
  ...(session.modelSource === 'scripted' ? ['scripted model'] : []),
  ...(session.sandboxed === false ? ['unsandboxed'] : []),
]

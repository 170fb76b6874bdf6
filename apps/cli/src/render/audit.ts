import type { AuditRecord, AuditVerification } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { moment } from './duration.ts'
import { renderTable } from './table.ts'

/** Entries of the audit as a table. */
export const renderAudit = (
  items: readonly AuditRecord[],
  { width, style, more }: { width: number; style: Style; more: boolean },
): string => {
  if (items.length === 0) return 'The audit has no such entry.'
  const columns = [
    { title: 'TIME' },
    { title: 'WHO', shrinks: true, min: 8 },
    { title: 'DID', shrinks: true, min: 12 },
    { title: 'TO', shrinks: true, min: 10 },
    { title: 'PROJECT', shrinks: true, min: 6 },
    { title: 'RESULT', shrinks: true, min: 7 },
    { title: 'FROM', optional: true },
  ]
  const paint = { done: style.dim, refused: style.yellow, failed: style.red }
  const rows = items.map(({ at, actor, action, object, project, result, code, address }) => [
    { text: moment(at), paint: style.dim },
    { text: safeLine(actor.name ?? actor.id) },
    { text: safeLine(action), paint: style.bold },
    { text: object === undefined ? '' : safeLine(`${object.kind} ${object.id}`) },
    { text: safeLine(project ?? '') },
    { text: safeLine(code === undefined ? result : `${result}: ${code}`), paint: paint[result] },
    { text: safeLine(address ?? ''), paint: style.dim },
  ])
  const rest = more ? `\n${style.dim('There is more: --lines shows it.')}` : ''
  return `${renderTable({ columns, rows }, { width, style })}${rest}`
}

/** What a check of the chain found, in words. */
export const verificationLines = (found: AuditVerification): string[] => {
  const { ok, first, last, entries, heads, olderHeads, unchecked, problem } = found
  const range = entries === 0 ? 'no entries' : `entries ${first} to ${last}`
  return [
    ok
      ? `The audit is whole: ${range}, as they were sealed.`
      : `The audit was changed. ${problem?.message ?? ''} Up to there it is whole: ${range}.`,
    ...(heads > 0 ? [`Signed heads that agree with it: ${heads}.`] : []),
    ...(olderHeads > 0
      ? [`Heads of entries that are not kept any more: ${olderHeads}. Nothing can be said of them.`]
      : []),
    ...(unchecked > 0
      ? [
          `Seals and signatures whose key is not in the key file any more: ${unchecked}. Their digests are right.`,
        ]
      : []),
  ]
}

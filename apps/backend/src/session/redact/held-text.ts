import { type HeldText, limits } from '@berth/contract'
import type { Hider, Pending } from './hider.ts'

/** What of an open block's text may be shown now. */
export interface Shown {
  offset: number
  text: string
  /** Undefined: nothing is held back, and places in the text are those that the runner counts. */
  held: HeldText | undefined
}

/** A text of which less is held back than this shows its end too late, not never. */
const longestHeld = 1024

/**
 * More text of an open block, as far as it may be shown. What may be the beginning of a secret is held back until it is
 * decided. And so that nobody can try beginnings of a secret by watching what is held back, it never depends on the order of
 * units: with secrets in a project, text is shown up to the last unit that stands in none of them.
 */
export const showMore = (
  before: HeldText | undefined,
  delta: { offset: number; text: string },
  hider: Hider | undefined,
): Shown => {
  if (hider === undefined && before === undefined) return { ...delta, held: undefined }
  const held = before ?? { raw: delta.offset, shown: delta.offset, ready: '', covered: 0 }
  const pending = pendingOf(held, hider)
  // Who writes over what is gone already, or leaves something out, shows nothing until the block is complete.
  if (delta.offset !== held.raw || pending === undefined) {
    const lost = held.lost === true || delta.offset < held.raw || pending === undefined
    return { offset: held.shown, text: '', held: { ...held, lost } }
  }
  if (held.lost === true) return { offset: held.shown, text: '', held }
  const raw = held.raw + delta.text.length
  if (hider === undefined) {
    const text = held.ready + delta.text
    return { offset: held.shown, text, held: { raw, shown: held.shown + text.length, ready: '', covered: 0 } }
  }
  const piece = { raw: pending.raw + delta.text, covered: pending.covered }
  const { open, covered, ...decided } = hider.part(piece)
  const text = held.ready + decided.text
  const show = Math.min(limits.delta, shownUnits(text, { delta: delta.text, hider, open: open?.units ?? 0 }))
  const shown = text.slice(0, wholeUnits(text, show))
  return {
    offset: held.shown,
    text: shown,
    held: { raw, shown: held.shown + shown.length, ready: text.slice(shown.length), covered, open },
  }
}

/** What is still held back of a text that ends here; empty: nothing. */
export const showRest = (held: HeldText, hider: Hider | undefined): string => {
  if (held.lost === true) return ''
  const pending = hider === undefined ? undefined : pendingOf(held, hider)
  const rest = pending === undefined ? '' : (hider?.last(pending) ?? '')
  return held.ready + rest
}

/** Undefined: the secret whose beginning was held back is not known any more. */
const pendingOf = ({ open, covered }: HeldText, hider: Hider | undefined): Pending | undefined => {
  if (open === undefined) return { raw: '', covered }
  const raw = hider?.textOf(open)
  return raw === undefined ? undefined : { raw, covered }
}

interface Ending {
  /** What came last. */
  delta: string
  hider: Hider
  /** Units after the decided text. */
  open: number
}

/** How much of the decided text is shown: up to a unit that no secret has, and all but what the longest one needs. */
const shownUnits = (text: string, { delta, hider, open }: Ending): number => {
  const { units, longest } = hider.matcher
  let tail = 0
  while (tail < delta.length && units.has(delta.charCodeAt(delta.length - 1 - tail))) tail++
  // The tail is undecided at its end, and decided before; what was hidden in it makes it no longer.
  const byUnits = tail < delta.length ? text.length - Math.max(0, decidedTail(text, hider)) : 0
  const byLength = text.length + open - Math.min(longest, longestHeld)
  return Math.max(0, byUnits, Math.min(byLength, text.length))
}

/** Units at the end of a text that stand in secrets. A mark's own brackets may be none of them. */
const decidedTail = (text: string, { matcher: { units } }: Hider): number => {
  let tail = 0
  while (tail < text.length && units.has(text.charCodeAt(text.length - 1 - tail))) tail++
  return tail
}

/** Never between the two halves of a character. */
const wholeUnits = (text: string, length: number): number =>
  length < text.length && /[\uD800-\uDBFF]/.test(text.charAt(length - 1)) ? length - 1 : length

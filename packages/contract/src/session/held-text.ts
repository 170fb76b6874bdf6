/**
 * What is held back of an open block's text, because it may be the beginning of a secret of the project. Holds no part of a
 * secret: a beginning is told by its name and length.
 */
export interface HeldText {
  /** UTF-16 units that the runner has sent, and that are shown. */
  raw: number
  shown: number
  /** Text after it that is decided, and not shown yet. */
  ready: string
  /** What comes after that and is not decided: the first units of a form of a secret. */
  open?: { name: string; version: number; form: number; units: number }
  /** Units of it that are hidden already, with what came before them. */
  covered: number
  /** It can't be told any more where the text stands: nothing is shown until the block is complete. */
  lost?: boolean
}

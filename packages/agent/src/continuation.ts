import type { HoldReason } from '@berth/contract'

/** Why a turn goes on with a new process. */
export interface Continuation {
  /** What happened to the process before, as a sentence. */
  reason: string
  /** It was paused for this reason; then its process did not fail, and `reason` is not told. */
  paused?: HoldReason
  /** The files were taken back to an earlier state too. Default: they are as the process left them. */
  restored?: boolean
}

const pauses: Record<HoldReason, string> = {
  budget:
    'it was paused in the middle because its budget was spent. The budget was raised, so there is room to finish it.',
  deadline:
    'it was paused in the middle because the time of the session was up. The session was given more time.',
  turns: 'it was paused because the session had taken all of its turns. It was given more.',
}

/**
 * What to tell Claude Code when its process was paused or lost in the middle of a turn and the conversation is resumed. The
 * request itself is in the conversation already.
 */
export const continuationText = ({ reason, paused, restored = false }: Continuation): string =>
  [
    `Continue the last request: ${
      paused === undefined
        ? `your process ended in the middle of it and was started again. ${reason}`
        : pauses[paused]
    }`,
    restored
      ? 'The files were taken back to the state before this turn, so work that the conversation shows may be gone.'
      : 'Commands that ran at that moment were stopped; what they had done by then is in the files.',
    'Before you go on, look at the real state: read the files that you were changing, and run `git status` where there is a repository. Do not rely on what you remember of results that you have not seen.',
    'Then finish it, without repeating steps that are done.',
  ].join('\n')

/** What the exit code of `berth` tells a script. The table of `--help` and of the documentation. */
export const exitCodes = {
  success: { code: 0, meaning: 'It worked; of a turn: it ended well' },
  failed: {
    code: 1,
    meaning: 'The turn ended with an error, the session failed, or doctor found something to repair',
  },
  usage: { code: 2, meaning: 'Wrong usage: unknown command or option, or input that is not valid' },
  person: { code: 3, meaning: 'The agent waits for a person, and nobody is at this terminal' },
  interrupted: { code: 4, meaning: 'The turn was interrupted, or the session stopped' },
  unreachable: { code: 5, meaning: 'Berth does not run, or cannot be reached' },
  refused: { code: 6, meaning: 'Refused: not found, not allowed, or not possible as things are' },
  internal: { code: 7, meaning: 'A fault in Berth itself' },
} as const

export type ExitReason = keyof typeof exitCodes

/** Ends the command with a message for the person, and an exit code. */
export class ExitError extends Error {
  readonly reason: ExitReason
  constructor(reason: ExitReason, message: string) {
    super(message)
    this.name = 'ExitError'
    this.reason = reason
  }
}

export const exitCodeHelp = (): string => {
  const rows = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`)
  return `Exit codes:\n${rows.join('\n')}`
}

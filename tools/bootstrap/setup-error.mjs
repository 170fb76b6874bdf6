/** A set-up problem that a person can solve. It is printed without a stack trace; `advice` says what to do. */
export class SetupError extends Error {
  /**
   * @param {string} message what happened and why
   * @param {string} advice what to do next
   */
  constructor(message, advice) {
    super(message)
    this.name = 'SetupError'
    this.advice = advice
  }
}

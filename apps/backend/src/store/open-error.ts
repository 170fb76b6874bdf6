/** Why a database can't be opened. The message says what to do. */
export class StoreOpenError extends Error {
  /** `in-use`: another process has the data directory; `other-schema`: another development version made it. */
  readonly reason: 'in-use' | 'other-schema'

  constructor(reason: StoreOpenError['reason'], message: string) {
    super(message)
    this.name = 'StoreOpenError'
    this.reason = reason
  }
}

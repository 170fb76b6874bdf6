/** Whether the backend can be reached, as the calls that are made anyway tell. */
export interface Contact {
  ok(): void
  /** Returns true for the first failure of a series. */
  failed(): boolean
  /** For how long no call has succeeded, in ms; 0 when the last one did. */
  awayMs(): number
}

export const createContact = (now: () => number): Contact => {
  let since: number | undefined
  return {
    ok() {
      since = undefined
    },
    failed() {
      if (since !== undefined) return false
      since = now()
      return true
    },
    awayMs: () => (since === undefined ? 0 : now() - since),
  }
}

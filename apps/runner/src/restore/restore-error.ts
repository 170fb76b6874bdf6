/** A checkpoint can't be gone on from. The message is for people. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError'
}

import { BerthError, type ErrorCode, type FieldError, isBerthError } from '@berth/contract'

/** An error as it crosses from the writer's thread. */
export type Fault =
  | { kind: 'berth'; code: ErrorCode; message: string; fields: FieldError[] | undefined }
  | { kind: 'other'; message: string; stack: string | undefined }

/** SQLITE_FULL, and the input/output errors of a write or of growing the shared memory file. */
const fullCodes: ReadonlySet<number> = new Set([13, 778, 4874])

const errcodeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) : undefined

/** The disk, or the size that is allowed, is full. */
export const isFull = (error: unknown): boolean => fullCodes.has(errcodeOf(error) ?? 0)

/** A failure of the database itself, after which the transaction can't be trusted: full, input/output, memory, corrupt. */
export const spoilsTransaction = (error: unknown): boolean =>
  isFull(error) || [7, 10, 11, 26].includes((errcodeOf(error) ?? 0) & 0xff)

export const toFault = (error: unknown): Fault => {
  if (isBerthError(error)) {
    const { code, message, fields } = error
    return { kind: 'berth', code, message, fields }
  }
  if (isFull(error)) {
    const message = 'The disk is full, so nothing was stored. Free some space, then repeat the request.'
    return { kind: 'berth', code: 'storage_full', message, fields: undefined }
  }
  if (error instanceof Error) return { kind: 'other', message: error.message, stack: error.stack }
  return { kind: 'other', message: String(error), stack: undefined }
}

export const fromFault = (fault: Fault): Error => {
  if (fault.kind === 'berth') return new BerthError(fault.code, fault.message, fault.fields)
  const error = new Error(fault.message)
  if (fault.stack !== undefined) error.stack = fault.stack
  return error
}

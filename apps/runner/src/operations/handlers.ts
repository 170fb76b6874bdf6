import type { OperationError, OperationRequest, OperationResult } from '@berth/contract'

export type OperationKind = OperationRequest['kind']
export type RequestOf<K extends OperationKind> = Extract<OperationRequest, { kind: K }>
export type ResultOf<K extends OperationKind> = Extract<OperationResult, { kind: K }>

/** What a handler works with, besides its request. */
export interface OperationContext {
  /** The operation's id, under which its bytes travel. */
  operation: string
  /** Aborts when its time is up, nobody waits for it any more, or the runner ends. */
  signal: AbortSignal
}

/** How operations of one kind are done. */
export interface OperationHandler<K extends OperationKind> {
  /** Those that change files are done one after another, in the order in which they were asked for. */
  changes: boolean
  timeoutMs: number
  /** Gives the result, or throws an `OperationFailed`. */
  run(request: RequestOf<K>, context: OperationContext): Promise<ResultOf<K>>
}

/** One handler for each kind that this runner knows. */
export type OperationHandlers = { [K in OperationKind]?: OperationHandler<K> }

/** Nothing came of an operation. The message is for the person who asked. */
export class OperationFailed extends Error {
  override readonly name = 'OperationFailed'
  readonly code: OperationError['code']

  constructor(code: OperationError['code'], message: string) {
    super(message)
    this.code = code
  }
}

import type { Answers, EventOf, PermissionDecision } from '@berth/contract'

/**
 * Who sits at the terminal. `undefined`: decides later. A signal that aborts closes the dialogue, because somebody
 * else answered or the request is void.
 */
export interface Person {
  decide(
    request: EventOf<'permission.requested'>['data'],
    signal: AbortSignal,
  ): Promise<PermissionDecision | undefined>
  answer(request: EventOf<'question.asked'>['data'], signal: AbortSignal): Promise<Answers | undefined>
  /** A secret, typed without echo. */
  secret(message: string): Promise<string | undefined>
}

import { type EgressRefused, isBerthError, limits, preview, refusalKey } from '@berth/contract'
import type { SessionService } from '../session/service.ts'
import type { AuditDraft } from '../store/audit-store.ts'
import type { RunnerIdentity } from '../store/port.ts'

export interface RefusalsOptions {
  service: Pick<SessionService, 'run'>
  now: () => number
}

/** One refusal of a kind is looked at again after so many ms, and so many kinds of a session at most in that time. */
const quietMs = 5000
const kinds = 2 * limits.egressRefusals
const maxSessions = 10_000

/**
 * Tells sessions and the audit what was refused. The log itself bounds how much of it there is in a turn; this only keeps an agent that
 * loops from asking it each time.
 */
export class Refusals {
  readonly #options: RefusalsOptions
  readonly #seen = new Map<string, { since: number; keys: Set<string> }>()

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /** Never rejects because of the session: one that is gone is told nothing. */
  async tell(runner: RunnerIdentity, refused: EgressRefused): Promise<void> {
    const data = {
      ...refused,
      path: preview(refused.path, 500),
      message: preview(refused.message, limits.message),
    }
    if (!this.#isNew(runner.session, refusalKey(data))) return
    try {
      await this.#options.service.run({
        session: runner.session,
        command: { kind: 'refuse-egress', actor: { kind: 'backend', id: 'egress' }, data },
        audit: this.#draft(runner, data),
      })
    } catch (error) {
      if (!isBerthError(error)) throw error
    }
  }

  /** Recorded with the event, and so as often. */
  #draft(
    { session, project }: RunnerIdentity,
    { scheme, host, port, method, path, why }: EgressRefused,
  ): AuditDraft {
    return {
      at: this.#options.now(),
      actor: { kind: 'runner', id: session },
      action: 'egress.refused',
      project,
      session,
      object: { kind: 'host', id: port === 0 ? host : `${host}:${port}` },
      result: 'refused',
      code: 'egress_refused',
      details: { scheme, method, path, why },
    }
  }

  #isNew(session: string, key: string): boolean {
    const now = this.#options.now()
    const known = this.#seen.get(session)
    if (known === undefined || now - known.since > quietMs || now < known.since) {
      this.#seen.delete(session)
      const [oldest] = this.#seen.keys()
      if (this.#seen.size >= maxSessions && oldest !== undefined) this.#seen.delete(oldest)
      this.#seen.set(session, { since: now, keys: new Set([key]) })
      return true
    }
    if (known.keys.has(key) || known.keys.size >= kinds) return false
    known.keys.add(key)
    return true
  }
}

import { type Actor, allRoutes, errorCatalogue, isBerthError, type Route } from '@berth/contract'
import type { FastifyRequest } from 'fastify'
import { type AuditDraft, withId } from '../store/audit-store.ts'
import type { Store } from '../store/port.ts'
import type { Deps } from './deps.ts'

/** What a handler may add to the entry of its request. */
export type AuditNote = Partial<Pick<AuditDraft, 'project' | 'session' | 'object' | 'details'>>

/** The entry that a request will leave, while it is served. */
export interface RequestAudit {
  /** What a change carries along, for `service.run` and the like. Once it was asked for, nothing else records the request. */
  readonly draft: AuditDraft
  /** The store whose changes carry it. */
  readonly store: Store
  /** Says more about it; before it is carried. */
  note(more: AuditNote): void
  /** It is done: recorded now, if no change carried it. */
  done(): Promise<void>
}

/** Makes the entries of requests, and records those which were refused or failed. */
export interface RequestAudits {
  /** Undefined: requests of this row leave no entry, or not from somebody who isn't known. */
  open(row: Route, request: FastifyRequest): RequestAudit | undefined
  /** Records a refusal or failure of a known caller; one of a stranger is only counted. Never rejects. */
  refused(row: Route, request: FastifyRequest, error: unknown): Promise<void>
}

const names = new Map(Object.entries(allRoutes).map(([name, row]) => [row, name]))

/** Whether a row's requests leave entries: it says so itself, or changes something for people. */
const isAudited = ({ audit, method, role }: Route): boolean =>
  audit ?? (method !== 'GET' && role !== 'runner' && role !== 'public')

export const requestAudits = (deps: Pick<Deps, 'store' | 'now' | 'log' | 'metrics'>): RequestAudits => {
  const { store, now, log, metrics } = deps
  const draftOf = (row: Route, request: FastifyRequest, actor: Actor): AuditDraft => ({
    at: now(),
    actor,
    action: names.get(row) ?? `${row.method} ${row.path}`,
    ...placeOf(row, request),
    result: 'done',
    address: request.ip,
    requestId: request.id,
  })
  return {
    open: (row, request) =>
      isAudited(row) && request.principal !== null
        ? new Entry(store, draftOf(row, request, request.principal.actor))
        : undefined,
    refused: async (row, request, error) => {
      if (!isAudited(row)) return
      const code = isBerthError(error) ? error.code : 'internal'
      const result = isRefusal(error) ? 'refused' : 'failed'
      if (request.principal === null) return metrics.strangerRefused(code)
      const draft = draftOf(row, request, request.principal.actor)
      await store.recordAudit({ ...draft, result, code }).catch((failed) => {
        log.error(
          { err: failed, requestId: request.id, action: draft.action },
          'An audit entry was not recorded',
        )
      })
    },
  }
}

const isRefusal = (error: unknown): boolean => isBerthError(error) && errorCatalogue[error.code].status < 500

/** Project, session and object, as the path names them: the object is the last thing with a name. */
const placeOf = (
  row: Route,
  { params }: FastifyRequest,
): Pick<AuditDraft, 'project' | 'session' | 'object'> => {
  const given = (params ?? {}) as Record<string, string | undefined>
  const { project, session } = given
  const [, things, path] = /\/([^/:]+)((?:\/(?::\w+|\*))+)(?:\/[^/:]+)*$/.exec(row.path) ?? []
  const id = path
    ?.match(/\w+|\*/g)
    ?.map((name) => given[name] ?? '')
    .join('/')
  return { project, session, object: things && id ? { kind: singular(things), id } : undefined }
}

const singular = (things: string): string => things.replace(/ies$/, 'y').replace(/s$/, '')

class Entry implements RequestAudit {
  readonly store: Store
  readonly #plain: Store
  #draft: AuditDraft
  #carried = false

  constructor(store: Store, draft: AuditDraft) {
    this.#draft = withId(draft)
    this.#plain = store
    this.store = store.audited(() => this.draft)
  }

  get draft(): AuditDraft {
    this.#carried = true
    return this.#draft
  }

  note(more: AuditNote): void {
    this.#draft = { ...this.#draft, ...more }
  }

  async done(): Promise<void> {
    if (!this.#carried) await this.#plain.recordAudit(this.#draft)
  }
}

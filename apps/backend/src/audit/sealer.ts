import type { AuditHead } from '@berth/contract'
import type { Clock } from '@berth/runtime'
import type { Logger } from 'pino'
import { every } from '../every.ts'
import type { Leases } from '../session/lease.ts'
import type { AuditStore } from '../store/audit-store.ts'
import type { ChainKeys } from './chain-keys.ts'
import { appendHeads } from './heads-file.ts'
import { removeExpired } from './retention.ts'

export interface SealerOptions {
  store: AuditStore
  keys: ChainKeys
  /** One backend at a time seals; the store refuses a second one all the same. */
  leases: Pick<Leases, 'keep'>
  clock: Clock
  log: Logger
  /** Each signed head is appended to this file as a JSON line, at the latest by the next backend. Default: heads are stored and logged only. */
  headsFile?: string
  /** Days that entries are kept; 0: for good. Default: 365. */
  days?: number
}

/** So long an entry may wait for its seal. */
const sealMs = 500
/** A signed head is made so often, when something was sealed since. */
const headMs = 60_000
const retentionMs = 3600_000
/** After the backend that sealed was killed, so long nobody does. */
const leaseMs = 10_000
const batch = 500

/** Seals what was recorded, signs heads of the chain, and removes what is old: as long as this backend has the lease. */
export class Sealer {
  readonly #options: SealerOptions
  #stop: (() => Promise<void>) | undefined
  /** Something may have been sealed since the last head. */
  #fresh = true
  #headAt = 0
  #retentionAt = 0

  constructor(options: SealerOptions) {
    this.#options = options
  }

  start(): void {
    this.#stop = every({ clock: this.#options.clock, ms: sealMs }, () => this.#turn())
  }

  async close(): Promise<void> {
    await this.#stop?.()
  }

  /** Everything that waits gets its place in the chain. */
  async seal(): Promise<void> {
    const { store, keys } = this.#options
    for (;;) {
      // In this order: when the chain still ends there at the end, nobody has sealed what waits now.
      const { tip } = await store.auditChain()
      const waiting = await store.auditUnsealed(batch)
      if (waiting.length === 0) return
      let after = tip
      const links = waiting.map(({ place, entry }) => {
        const link = keys.link(entry, after)
        after = link
        return { ...link, place }
      })
      this.#fresh = true
      // Another backend was faster: what it sealed waits no more, and what is left is looked at again.
      if (!(await store.sealAudit(tip, links)) || waiting.length < batch) return
    }
  }

  async #turn(): Promise<void> {
    const { leases, clock, log } = this.#options
    try {
      if (!(await leases.keep('audit', leaseMs))) return
      await this.seal()
      const now = clock.now()
      if (this.#fresh && now - this.#headAt >= headMs) await this.#head(now)
      if (now - this.#retentionAt >= retentionMs) {
        this.#retentionAt = now
        await removeExpired(this.#options, now)
      }
    } catch (error) {
      log.warn({ err: error }, 'The audit was not sealed; it is tried again')
    }
  }

  /** A signed head, when there is something new, where nobody who can write to the database can reach it. */
  async #head(now: number): Promise<void> {
    const { store, keys, log } = this.#options
    const { tip } = await store.auditChain()
    const [last] = (await store.auditHeads({ limit: 1 })).items
    const head = tip.number > (last?.number ?? 0) ? keys.head(tip, now) : undefined
    if (head !== undefined) {
      await store.addAuditHead(head)
      log.info({ auditHead: head }, 'The audit has a new signed head')
      this.#headAt = now
    }
    this.#fresh = false
    await this.#keep(head, now)
  }

  async #keep(head: AuditHead | undefined, now: number): Promise<void> {
    const { log, headsFile: file } = this.#options
    if (file === undefined) return
    await appendHeads({ ...this.#options, file }, head).catch((error) => {
      log.error({ err: error, file }, 'Signed heads of the audit were not written to their file')
      // Tried again with the next head, whose time it is in a while.
      this.#fresh = true
      this.#headAt = now
    })
  }
}

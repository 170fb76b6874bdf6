import type { Store } from './port.ts'
import type { StoreParts } from './program-store.ts'
import {
  auditChain,
  auditExpired,
  auditHeads,
  auditHeadsOf,
  auditList,
  auditSealed,
  auditUnsealed,
} from './programs/audit-reading.ts'

/** Entries that are removed in one transaction, so that appends never wait for long. */
const sweepRows = 2000

/** What the store does with the chain of the audit. */
export class ProgramAudit {
  /** Runs a program that changes nothing. */
  protected readonly read: StoreParts['read']
  /** Does something in a transaction. */
  protected readonly write: StoreParts['write']

  constructor(read: StoreParts['read'], write: StoreParts['write']) {
    this.read = read
    this.write = write
  }

  readonly auditList: Store['auditList'] = (...given) => this.read(auditList(...given))
  readonly auditSealed: Store['auditSealed'] = (...given) => this.read(auditSealed(...given))
  readonly auditChain: Store['auditChain'] = () => this.read(auditChain())
  readonly auditUnsealed: Store['auditUnsealed'] = (limit) => this.read(auditUnsealed(limit))
  readonly auditHeads: Store['auditHeads'] = (page) => this.read(auditHeads(page))
  readonly auditHeadsOf: Store['auditHeadsOf'] = (range) => this.read(auditHeadsOf(range))
  readonly auditExpired: Store['auditExpired'] = (before) => this.read(auditExpired(before))
  readonly addAuditHead: Store['addAuditHead'] = (head) => this.write('addAuditHead', head)
  readonly sealAudit: Store['sealAudit'] = (after, links) => this.write('sealAudit', { after, links })
  async expireAudit(anchor: Parameters<Store['expireAudit']>[0]) {
    while (await this.write('expireAudit', { anchor, limit: sweepRows }));
  }
}

import { describe } from 'vitest'
import { appendCases } from './append-cases.ts'
import { auditCases } from './audit-cases.ts'
import { baseCases } from './base-cases.ts'
import { browserSessionCases } from './browser-session-cases.ts'
import { changeCases } from './change-cases.ts'
import { claimCases } from './claim-cases.ts'
import { compactionCases } from './compaction-cases.ts'
import { durabilityCases } from './durability-cases.ts'
import { type MakeStore, useBench } from './harness.ts'
import { idempotencyCases } from './idempotency-cases.ts'
import { keyCases, revocationCases } from './key-cases.ts'
import { knownGroupsCases } from './known-groups-cases.ts'
import { lifecycleCases } from './lifecycle-cases.ts'
import { listCases } from './list-cases.ts'
import { logCases } from './log-cases.ts'
import { memberCases } from './member-cases.ts'
import { projectCases } from './project-cases.ts'
import { readCases } from './read-cases.ts'
import { attentionCases, occupancyCases, runnerCases } from './runner-cases.ts'
import { sealingKeyCases, secretCases } from './secret-cases.ts'
import { sharingCases } from './sharing-cases.ts'
import { uploadCases } from './upload-cases.ts'
import { usageCases } from './usage-cases.ts'

/** These look only at their own project, so that their tests can share a store. */
const sharing: readonly string[] = [
  ...[
    'append',
    'idempotency',
    'reading',
    'lists',
    'changes',
    'runners',
    'logs',
    'usage',
    'members',
    'secrets',
    'sharing',
    'life of projects',
    'leases and grants',
  ],
]

const parts = {
  append: appendCases,
  idempotency: idempotencyCases,
  reading: readCases,
  lists: listCases,
  changes: changeCases,
  projects: projectCases,
  members: memberCases,
  sharing: sharingCases,
  'life of projects': lifecycleCases,
  'base packs': baseCases,
  runners: runnerCases,
  attention: attentionCases,
  occupancy: occupancyCases,
  logs: logCases,
  uploads: uploadCases,
  secrets: secretCases,
  'sealing keys': sealingKeyCases,
  usage: usageCases,
  'API keys': keyCases,
  revocations: revocationCases,
  'leases and grants': claimCases,
  'browser sessions': browserSessionCases,
  'known groups': knownGroupsCases,
  compaction: compactionCases,
  durability: durabilityCases,
  audit: auditCases,
}

export interface StoreConformanceOptions {
  /** Parts that the adapter does not pass, each with the reason. */
  skips?: Partial<Record<keyof typeof parts, string>>
}

/** Every promise of the store's port. Tests get fresh databases from `makeStore`. */
export const storeConformance = (
  name: string,
  makeStore: MakeStore,
  { skips = {} }: StoreConformanceOptions = {},
): void => {
  describe(`${name} as a store`, () => {
    for (const [part, cases] of Object.entries(parts) as [keyof typeof parts, typeof durabilityCases][]) {
      const reason = skips[part]
      if (reason !== undefined) describe.skip(`${part} (${reason})`, () => undefined)
      else
        describe(part, () =>
          cases(useBench(makeStore, sharing.includes(part) ? 'shared' : 'fresh'), makeStore),
        )
    }
  })
}

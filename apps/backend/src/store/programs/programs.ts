import type { AuditDraft } from '../audit-store.ts'
import type { Done, Operation, Operations, Programs } from '../operations.ts'
import type { Program } from '../query.ts'
import { auditPrograms, recording } from './audit.ts'
import { basePrograms } from './bases.ts'
import { browserSessionPrograms } from './browser-sessions.ts'
import { claimPrograms } from './claims.ts'
import { keyPrograms } from './keys.ts'
import { knownGroupPrograms } from './known-groups.ts'
import { lifecyclePrograms } from './lifecycle.ts'
import { logPrograms } from './logs.ts'
import { maintenancePrograms } from './maintenance.ts'
import { memberPrograms } from './members.ts'
import { projectPrograms } from './projects.ts'
import { revocationPrograms } from './revocations.ts'
import { runnerPrograms } from './runners.ts'
import { sealedBrowserPrograms } from './sealed-browsers.ts'
import { secretPrograms } from './secrets.ts'
import { uploadPrograms } from './uploads.ts'

/** Everything that changes a store besides appending. */
const programs: Programs = {
  ...auditPrograms,
  ...basePrograms,
  ...browserSessionPrograms,
  ...sealedBrowserPrograms,
  ...claimPrograms,
  ...keyPrograms,
  ...knownGroupPrograms,
  ...lifecyclePrograms,
  ...logPrograms,
  ...maintenancePrograms,
  ...memberPrograms,
  ...projectPrograms,
  ...revocationPrograms,
  ...runnerPrograms,
  ...secretPrograms,
  ...uploadPrograms,
}

/** The program of an operation with its input; it records the draft, if it is given one. */
export const programOf = <K extends keyof Programs>(
  operation: K,
  input: Operations[K & Operation]['input'],
  audit?: AuditDraft,
): Program<Done> => {
  const program = programs[operation] as (given: typeof input) => Program<Done>
  return recording(program(input), audit)
}

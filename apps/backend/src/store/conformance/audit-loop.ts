/**
 * A process that records and seals until somebody kills it: `node audit-loop.ts OPENER`. Says the id of each entry that was
 * acknowledged.
 * Ends when its input does.
 */
import { createInterface } from 'node:readline'
import { Sealer } from '../../audit/sealer.ts'
import { withId } from '../audit-store.ts'
import { auditDraft, sealerOptions } from './audit-parts.ts'
import { createCommand, newId, openStore, startOfTime } from './harness.ts'

const store = await openStore(JSON.parse(process.argv[2] ?? ''))
createInterface(process.stdin).on('close', () => process.exit(0))
const sealer = new Sealer(sealerOptions(store))

const record = async () => {
  for (;;) {
    const session = newId('session')
    const audit = withId(auditDraft('createSession'))
    const command = createCommand(session)
    await store.append({ session, command, turn: newId('turn'), now: startOfTime, audit })
    process.stdout.write(`${JSON.stringify({ id: audit.id, session })}\n`)
  }
}
const seal = async () => {
  for (;;) await sealer.seal()
}
await Promise.all([record(), record(), record(), seal(), seal()])

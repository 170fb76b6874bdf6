import { createInterface } from 'node:readline'
import { createCommand, factsCommand, launch, newId, notice, openStore, startOfTime } from './harness.ts'

/**
 * A process to be killed: opens the store that its argument names, makes sessions, and appends pairs of facts to them without end.
 * Prints each session and each acknowledged place as a JSON line. Ends when its input does.
 */
const store = await openStore(JSON.parse(process.argv[2] ?? ''))
createInterface(process.stdin).on('close', () => process.exit(0))
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const turn = newId('turn')

const live = async () => {
  const session = newId('session')
  await store.append({ session, command: createCommand(session), turn, now: startOfTime })
  await store.append({ session, command: launch, turn, now: startOfTime })
  say({ session })
  for (let n = 1; ; n += 2) {
    const pair = [notice(`${n}`), notice(`${n + 1}`)]
    const { state } = await store.append({ session, command: factsCommand(n, pair), turn, now: startOfTime })
    say({ session, n: state.n })
  }
}

await Promise.all([live(), live(), live(), live()])

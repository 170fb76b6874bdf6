import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { becomeInit, CHILD_OPTION } from './init.ts'
import { startLauncher } from './launcher.ts'
import { beginLife } from './life.ts'
import { warm } from './warm.ts'

const usage = 'usage: launcher --socket PATH [--end-with-client] [--warm FILE]...'
/** How long a launcher that ends with its client waits for the first one. */
const clientPatienceMs = 300_000

/** What is started here is the group's too: the runner is another user of it. */
const umask = 0o007

/** Killing by the whole container would be a disaster anywhere else. */
function isBelowInit(): boolean {
  try {
    return process.ppid === 1 && readFileSync('/proc/1/cmdline', 'utf8').includes('\0berth-init\0')
  } catch {
    return false
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      socket: { type: 'string' },
      'end-with-client': { type: 'boolean', default: false },
      warm: { type: 'string', multiple: true, default: [] },
      [CHILD_OPTION.slice(2)]: { type: 'boolean', default: false },
    },
  })
  const { socket, 'end-with-client': endWithClient, warm: files } = values
  if (socket === undefined) throw new Error(usage)
  if (process.pid === 1) return becomeInit(socket)
  if (!isBelowInit())
    throw new Error('The launcher ends everything around it: it must be the first process of a container.')
  const end = (): never => process.exit(0)
  // The runner needs the one that ends with it for its last checkpoint, whatever the pod is told.
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, endWithClient ? () => undefined : end)
  process.umask(umask)
  const launcher = await startLauncher({
    socket,
    life: beginLife(socket),
    onReleased: () => endWithClient && end(),
  })
  if (endWithClient) setTimeout(() => launcher.leased || end(), clientPatienceMs)
  await warm(files)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(2)
}

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Appender } from './append.ts'
import { baseHandlers } from './bases.ts'
import { claimHandlers } from './claims.ts'
import { openWriter } from './connection.ts'
import { GroupCommit } from './group-commit.ts'
import { logHandlers } from './logs.ts'
import { maintenanceHandlers } from './maintenance.ts'
import { projectHandlers } from './projects.ts'
import type { FromWriter, Job, ToWriter, WriterData } from './protocol.ts'
import { runnerHandlers } from './runners.ts'
import { StateCache } from './state-cache.ts'
import { uploadHandlers } from './uploads.ts'

/** The most jobs that share a transaction: the first should not wait for all. */
const groupJobs = 256

if (parentPort === null) throw new Error('The writer runs in a worker thread')
const port = parentPort
const data: WriterData = workerData

const database = openWriter(data.file, data.maxBytes)
const cache = new StateCache({ sessions: data.cachedSessions, bytes: data.cachedBytes })
const appender = new Appender(database, cache)
const group = new GroupCommit(
  database,
  {
    append: (input) => appender.append(input),
    ...projectHandlers(database),
    ...runnerHandlers(database),
    ...baseHandlers(database),
    ...logHandlers(database),
    ...claimHandlers(database),
    ...uploadHandlers(database),
    ...maintenanceHandlers(database, cache),
    ping: () => ({ value: undefined }),
  },
  cache,
)

const send = (message: FromWriter) => port.postMessage(message)

/** Everything that waits by now, in order, up to the size of a group. */
const waiting = (first: ToWriter): { jobs: Job[]; close: boolean } => {
  const jobs: Job[] = []
  for (let message: ToWriter | undefined = first; message !== undefined; message = next()) {
    if (message === 'close') return { jobs, close: true }
    jobs.push(message)
    if (jobs.length === groupJobs) break
  }
  return { jobs, close: false }
}

const next = (): ToWriter | undefined => receiveMessageOnPort(port)?.message

port.on('message', (first: ToWriter) => {
  const { jobs, close } = waiting(first)
  if (jobs.length > 0) send(group.run(jobs))
  if (!close) return
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
  send('closed')
  port.close()
})

send('ready')

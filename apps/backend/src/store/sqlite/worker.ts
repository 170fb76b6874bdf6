import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Done } from '../operations.ts'
import { programOf } from '../programs/programs.ts'
import { append } from './append.ts'
import { openWriter } from './connection.ts'
import { GroupCommit } from './group-commit.ts'
import type { FromWriter, Job, ToWriter, WriterData } from './protocol.ts'
import { Executor } from './query.ts'
import { StateCache } from './state-cache.ts'

/** The most jobs that share a transaction: the first should not wait for all. */
const groupJobs = 256

if (parentPort === null) throw new Error('The writer runs in a worker thread')
const port = parentPort
const data: WriterData = workerData

const database = openWriter(data.file, data.maxBytes)
const cache = new StateCache({ sessions: data.cachedSessions, bytes: data.cachedBytes })
const executor = new Executor(database)

const handle = (job: Job): Done => {
  if (job.operation === 'append') return executor.run(append(cache, { ...job.input, audit: job.audit }))
  if (job.operation === 'ping') return { value: undefined }
  if (job.operation === 'purge') cache.delete(job.input.session)
  return executor.run(programOf(job.operation, job.input, job.audit), job.time)
}

const group = new GroupCommit(database, handle, cache)

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

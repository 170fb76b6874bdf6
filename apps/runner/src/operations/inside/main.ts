import { type ArchiveJob, archive } from './archive.ts'
import { type ListJob, list } from './list.ts'
import { type ReadJob, read } from './read.ts'
import { Refusal } from './refusal.ts'
import { type RemoveJob, remove } from './remove.ts'
import { type WriteJob, write } from './write.ts'

/** What this program can be asked to do with a workspace. */
export type Job = ListJob | ReadJob | WriteJob | RemoveJob | ArchiveJob

const perform = (root: string, job: Job): Promise<object> => {
  switch (job.kind) {
    case 'list':
      return list(root, job)
    case 'read':
      return read(root, job)
    case 'write':
      return write(root, job)
    case 'delete':
      return remove(root, job)
    case 'archive':
      return archive(root, job)
  }
}

/**
 * Runs inside the sandbox, where nothing but the workspace can be reached: a link that the agent puts in the way at any
 * moment leads nowhere. Arguments: the workspace, and the job as JSON. Content comes and goes by standard input and output; what came of
 * it is the last line of standard error, as JSON.
 */
const main = async ([root = '', job = '']: readonly string[]): Promise<void> => {
  const tell = (outcome: object) => process.stderr.write(`${JSON.stringify(outcome)}\n`)
  try {
    tell({ ok: await perform(root, JSON.parse(job)) })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    tell({ error: { code: error instanceof Refusal ? error.code : 'failed', message } })
    process.exitCode = 1
  }
}

await main(process.argv.slice(2))

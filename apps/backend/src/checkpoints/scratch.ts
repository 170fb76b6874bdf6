import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CheckpointGit, mustRun, quickMs } from './checkpoint-git.ts'

/**
 * A repository that borrows the objects of an unpacked checkpoint and holds what is made on top: so the checkpoint itself
 * is never written to, and what was made goes away with it.
 */
export const makeScratch = async (git: CheckpointGit, checkpoint: string, path: string): Promise<void> => {
  const format = (
    await mustRun(git, {
      mirror: checkpoint,
      args: ['rev-parse', '--show-object-format'],
      timeoutMs: quickMs,
    })
  ).trim()
  const init = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, path]
  await mustRun(git, { args: init, timeoutMs: quickMs })
  await mkdir(join(path, 'objects', 'info'), { recursive: true })
  await writeFile(join(path, 'objects', 'info', 'alternates'), `${join(checkpoint, 'objects')}\n`)
  await copyFile(join(checkpoint, 'shallow'), join(path, 'shallow')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

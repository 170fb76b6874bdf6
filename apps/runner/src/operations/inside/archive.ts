import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { existing } from './place.ts'
import { Refusal } from './refusal.ts'

export interface ArchiveJob {
  kind: 'archive'
  path: string
}

/** Prints a file or directory as tar.gz, links as links, without what belongs to git. */
export const archive = async (root: string, { path }: ArchiveJob) => {
  const place = await existing(root, path)
  const found = await lstat(place)
  if (!found.isDirectory() && !found.isFile())
    throw new Refusal('not-a-file', `${path} is neither a file nor a directory.`)
  const what = place === root ? ['-C', root, '.'] : ['-C', dirname(place), '--', basename(place)]
  // What changes or goes while it is read is no failure: the agent may be at work.
  const options = [
    '--create',
    '--gzip',
    '--file=-',
    '--exclude=.git',
    '--ignore-failed-read',
    '--warning=none',
  ]
  const tar = spawn('tar', [...options, ...what], { stdio: ['ignore', 'inherit', 'pipe'] })
  const said = text(tar.stderr)
  const [code] = await once(tar, 'close')
  if (code === 0 || code === 1) return {}
  throw new Refusal('failed', `${path} could not be packed: ${(await said).trim().slice(0, 500)}`)
}

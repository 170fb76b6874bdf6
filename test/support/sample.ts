import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sampleRepository } from '@berth/scripted-model'

const run = promisify(execFile)

/** Runs git as a user would, without the configuration of this machine. */
export const git = async (directory: string, ...args: string[]): Promise<string> => {
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  }
  const { stdout } = await run('git', ['-C', directory, ...args], { env })
  return stdout.trim()
}

/** A repository with the sample library, whose one test fails. Gives its path. */
export const sampleRepo = async (parent: string, name = 'tidy-durations'): Promise<string> => {
  const path = join(parent, name)
  await mkdir(path, { recursive: true })
  await cp(sampleRepository, path, { recursive: true })
  await git(path, 'init', '-q', '-b', 'main')
  await git(path, 'add', '-A')
  await git(path, 'commit', '-q', '-m', 'First version')
  return path
}

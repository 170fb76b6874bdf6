import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Copies the sample repository into the data directory, once, as a git repository with one commit. Gives its path. */
export const prepareSample = async (source: string, dataDir: string): Promise<string> => {
  const samples = join(dataDir, 'samples')
  const target = join(samples, await nameOf(source))
  if (await exists(join(target, '.git'))) return target
  await mkdir(samples, { recursive: true, mode: 0o700 })
  const temporary = await mkdtemp(join(samples, '.new-'))
  try {
    await cp(source, temporary, { recursive: true })
    await git(temporary, ['init', '--quiet', '--initial-branch=main'])
    await git(temporary, ['add', '--all'])
    await git(temporary, ['commit', '--quiet', '--message=A small library with a failing test'])
    await rm(target, { recursive: true, force: true })
    await rename(temporary, target)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return target
}

const nameOf = async (source: string): Promise<string> => {
  const text = await readFile(join(source, 'package.json'), 'utf8').catch(() => '{}')
  const { name } = JSON.parse(text) as { name?: unknown }
  return typeof name === 'string' && /^[a-z0-9][a-z0-9-]*$/.test(name) ? name : 'sample'
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** The user's own git settings (signing, hooks, templates) stay out of it. */
const git = (cwd: string, args: readonly string[]) => {
  const identity = { name: 'Berth', email: 'berth@localhost' }
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
  }
  return run('git', [...args], { cwd, env, timeout: 60_000 })
}

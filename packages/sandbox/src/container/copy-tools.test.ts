import { chmod, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { copyTools } from './copy-tools.ts'

it('copies programs as they are, and what links point to', async () => {
  const place = await mkdtemp(join(tmpdir(), 'berth-tools-'))
  try {
    const from = join(place, 'berth')
    for (const [file, text] of [
      ['claude/claude', 'native'],
      ['launcher/launcher.js', 'launcher'],
      ['bin/git-remote-berth', 'helper'],
      ['runner/main.js', 'not for the agent'],
    ] as const) {
      await mkdir(join(from, file, '..'), { recursive: true })
      await writeFile(join(from, file), text)
    }
    await chmod(join(from, 'claude/claude'), 0o755)
    await writeFile(join(place, 'real-node'), 'node')
    await mkdir(join(from, 'node'))
    await symlink(join(place, 'real-node'), join(from, 'node/node'))

    const to = join(place, 'tools')
    await copyTools(from, to)
    expect((await lstat(join(to, 'claude/claude'))).mode & 0o777).toBe(0o755)
    expect((await lstat(join(to, 'node/node'))).isSymbolicLink()).toBe(false)
    expect(await readFile(join(to, 'node/node'), 'utf8')).toBe('node')
    expect(await readFile(join(to, 'bin/git-remote-berth'), 'utf8')).toBe('helper')
    await expect(lstat(join(to, 'runner'))).rejects.toThrow(/ENOENT/)
    await rm(join(from, 'claude'), { recursive: true })
    await expect(copyTools(from, join(place, 'other'))).rejects.toThrow(/claude/)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
})

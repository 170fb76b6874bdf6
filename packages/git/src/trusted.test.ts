import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runTrusted } from './trusted.ts'

const surroundings = { path: process.env.PATH ?? '', home: '/nonexistent', inherited: {} }

describe('git on the trusted side', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'berth-git-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('ends when its runner is killed, with all that it started', async () => {
    const note = join(directory, 'pid')
    const args = ['-c', `alias.wait=!echo $$ >${note}.new; mv ${note}.new ${note}; exec sleep 1000`, 'wait']
    const program = `
      import { runTrusted } from ${JSON.stringify(new URL('./trusted.ts', import.meta.url).href)}
      await runTrusted(${JSON.stringify(surroundings)}, ${JSON.stringify({ args, timeoutMs: 600_000 })})`
    const runner = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
    await expect.poll(() => existsSync(note), { timeout: 30_000 }).toBe(true)
    const pid = Number(readFileSync(note, 'utf8'))
    const lives = () => {
      try {
        return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
      } catch {
        return false
      }
    }
    expect(lives()).toBe(true)
    runner.kill('SIGKILL')
    await once(runner, 'exit')
    await expect.poll(lives, { timeout: 30_000 }).toBe(false)
  })

  it('takes no more memory than it may, whatever the other side sends', async () => {
    const args = ['hash-object', '-t', 'tree', '--literally', '--stdin']
    const ask = (memoryLimit: number) =>
      runTrusted(surroundings, {
        args,
        timeoutMs: 60_000,
        memoryLimit,
        input: '\0'.repeat(96 * 1024 ** 2),
      })
    expect((await ask(48 * 1024 ** 2)).stderr).toContain('memory')
    expect((await ask(1024 ** 3)).ok).toBe(true)
  })

  it('inherits nothing that changes what git does (S10)', async () => {
    const { stdout } = await runTrusted(
      {
        ...surroundings,
        inherited: {
          GIT_DIR: '/elsewhere',
          GIT_EXEC_PATH: '/elsewhere',
          GIT_TRACE: '1',
          LD_PRELOAD: '/evil.so',
          BERTH_RUNNER_TOKEN: 'token',
          ANTHROPIC_API_KEY: 'key',
          https_proxy: 'http://proxy',
        },
      },
      { args: ['-c', 'alias.e=!env', 'e'], timeoutMs: 60_000 },
    )
    expect(stdout).toContain('https_proxy=http://proxy')
    expect(stdout).not.toMatch(/elsewhere|evil|TRACE|token|ANTHROPIC/)
  })
})

import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../conformance/host-processes.ts'
import {
  type Container,
  type ContainerOptions,
  containersImpossible,
  newBase,
  startContainer,
} from '../conformance/index.ts'
import type { SandboxCommand, SandboxedProcess } from '../sandbox.ts'
import { createContainerSandbox } from './container-sandbox.ts'

const user = 21_101
const group = 21_100

const rooms: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const room of rooms.splice(0)) await room.close()
})

/** Two containers that share a directory; each starts when it is asked to. */
const open = () => {
  const base = newBase()
  chmodSync(base, 0o755)
  const shared = join(base, 'shared')
  mkdirSync(shared)
  chownSync(shared, 0, group)
  chmodSync(shared, 0o2777)
  const mounts = [{ path: shared, mode: 'rw' as const }]
  const [agent, workspace] = [join(base, 'a/l'), join(base, 'w/l')]
  const sandbox = createContainerSandbox({
    ...{ agent, workspace, graceMs: 300, waitMs: 20_000 },
    mounts: { agent: [{ path: join(base, 'door'), mode: 'ro' }, ...mounts], workspace: mounts },
  })
  const started: Container[] = []
  const start = (which: 'agent' | 'workspace', more: Partial<ContainerOptions> = {}) => {
    const socket = which === 'agent' ? agent : workspace
    const container = startContainer({ socket, mounts, user, group, ...more })
    started.push(container)
    return container
  }
  rooms.push({
    async close() {
      for (const container of started) await container.close()
      rmSync(base, { recursive: true, force: true })
    },
  })
  const command = (script: string, more: Partial<SandboxCommand> = {}): SandboxCommand => ({
    command: '/bin/sh',
    args: ['-c', script],
    cwd: shared,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` },
    mounts,
    ...more,
  })
  const door = { socket: join(base, 'door'), target: join(base, 'door') }
  return { base, shared, agent, workspace, sandbox, start, command, door }
}

const said = async (child: SandboxedProcess): Promise<string> => {
  child.stdin.end()
  return (await text(child.stdout)).trim()
}

describe.skipIf(containersImpossible !== undefined)('a sandbox of containers', { timeout: 60_000 }, () => {
  it('waits for a launcher that is not there yet', async () => {
    const { sandbox, start, command } = open()
    const child = sandbox.spawn(command('read line; echo "got $line"'))
    child.stdin.end('early\n')
    start('workspace')
    expect((await text(child.stdout)).trim()).toBe('got early')
    expect(await child.exited).toMatchObject({ code: 0, reason: 'exit' })
    const { exited } = sandbox.spawn(command(':', { signal: AbortSignal.abort() }))
    expect(await exited).toMatchObject({ reason: 'killed' })
  })

  it('starts what has a door in one and what has none in the other', async () => {
    const { sandbox, start, command, door, base } = open()
    start('agent', { user: user + 1 })
    start('workspace')
    expect(await said(sandbox.spawn(command('id -u')))).toBe(String(user))
    const inAgent = sandbox.spawn(command('id -u; id -g; umask; ls -ld /proc/1 | cut -d" " -f3', { door }))
    expect(await said(inAgent)).toBe(`${user + 1}\n${group}\n0007\n${user + 1}`)
    expect(await sandbox.check()).toMatchObject({ ok: true })
    const { exited } = sandbox.spawn(command(':', { mounts: [{ path: base, mode: 'ro' }] }))
    expect(await exited).toMatchObject({
      reason: 'spawn-failed',
      message: `The command did not start: the container "workspace" does not have ${base} at ${base} for reading. Its mounts are fixed.`,
    })
  })

  it('holds a fast writer back, whole', async () => {
    const { sandbox, start, command } = open()
    start('workspace')
    const child = sandbox.spawn(command('head -c 33554432 /dev/zero; touch done; echo end'))
    const done = sandbox.spawn(command('while [ ! -e done ]; do sleep 0.05; done'))
    await until(() => child.stdout.readableLength > 0)
    const looked = sandbox.spawn(command('test -e done'))
    expect(await looked.exited).toMatchObject({ code: 1 })
    let bytes = 0
    for await (const chunk of child.stdout) bytes += (chunk as Buffer).length
    expect(bytes).toBe(33_554_432 + 4)
    expect(await done.exited).toMatchObject({ code: 0 })
  })

  it('reaps orphans, and leaves other commands alone when one ends', async () => {
    const { sandbox, start, command } = open()
    start('workspace')
    const kept = sandbox.spawn(command('sleep 100 & echo up; wait'))
    await until(() => kept.stdout.readableLength > 0)
    const orphans =
      'i=0; while [ $i -lt 30 ]; do setsid sh -c "sleep 0.01 &" & i=$((i+1)); done; setsid sleep 77 & sleep 0.3'
    expect(await sandbox.spawn(command(orphans)).exited).toMatchObject({ code: 0 })
    const seen = await said(sandbox.spawn(command("cat /proc/[0-9]*/stat | cut -d' ' -f2,3")))
    expect(seen.split('\n').filter((line) => line.endsWith('Z'))).toEqual([])
    expect(seen.split('\n').filter((line) => line.startsWith('(sleep)'))).toHaveLength(1)
    kept.kill('SIGKILL')
    await kept.exited
  })

  it('tells when all of the container was killed for its memory, and goes on in the next', async () => {
    const { sandbox, start, command, door } = open()
    const first = start('agent')
    const child = sandbox.spawn(command('echo up; sleep 100', { door }))
    await until(() => child.stdout.readableLength > 0)
    first.kill()
    await first.ended
    const next = sandbox.spawn(command('echo again', { door }))
    start('agent')
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL', reason: 'out-of-memory' })
    expect(await said(next)).toBe('again')
  })

  it('tells when the launcher was ended by something else', async () => {
    const { sandbox, start, command, door } = open()
    const first = start('agent')
    const child = sandbox.spawn(command('echo up; kill -9 $PPID; sleep 100', { door }))
    await first.ended
    start('agent')
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL', reason: 'killed' })
  })

  it('tells of a process that was killed for its memory', async () => {
    const { sandbox, start, command, door } = open()
    start('agent', { memoryBytes: 128 * 1024 ** 2 })
    const child = sandbox.spawn(
      command('exec node -e "const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1))"', { door }),
    )
    expect(await child.exited).toMatchObject({ reason: 'out-of-memory' })
    expect(child.usage()?.oomKills).toBeGreaterThan(0)
    expect(await said(sandbox.spawn(command('echo on', { door })))).toBe('on')
  })

  it('ends `agent` when it is told to, and `workspace` with its client only', async () => {
    const { sandbox, start, command } = open()
    const agent = start('agent')
    const workspace = start('workspace', { endWithClient: true })
    const lost = sandbox.hold()
    expect(await said(sandbox.spawn(command('echo up')))).toBe('up')
    agent.terminate()
    await agent.ended
    workspace.terminate()
    expect(await said(sandbox.spawn(command('echo still')))).toBe('still')
    workspace.kill()
    expect(await lost).toContain('ended')
  })

  it('survives whatever is written to its socket', async () => {
    const { sandbox, start, command, workspace } = open()
    start('workspace')
    expect(await said(sandbox.spawn(command('echo up')))).toBe('up')
    const attempts = [
      'null\n',
      '[]\n',
      '{"open":"command"}\n',
      '{"open":"command","request":{"id":"0123456789abcdef","command":"/bin/sh","args":["\\u0000"],"cwd":"/","env":{},"limits":{}}}\n',
      '{"open":"stream","stream":"stdin","of":"0123456789abcdef0"}\n',
      `${'x'.repeat(9 * 1024 ** 2)}\n`,
    ]
    for (const attempt of attempts) {
      const socket = createConnection(workspace).on('error', () => undefined)
      socket.write(attempt)
      socket.resume()
      await new Promise((resolve) => socket.once('close', resolve))
    }
    expect(await said(sandbox.spawn(command('echo up')))).toBe('up')
  })
})

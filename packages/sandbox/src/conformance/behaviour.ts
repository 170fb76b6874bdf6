import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Sandbox, SandboxExit } from '../sandbox.ts'
import { selfTest } from '../self-test.ts'
import { collect, type Fixture } from './fixture.ts'
import { processesWith, until } from './host-processes.ts'

export interface Promised {
  name: string
  test(sandbox: Sandbox, fixture: Fixture): Promise<void>
}

const exits: readonly [string, string, Partial<SandboxExit>][] = [
  ['true', 'exit 0', { code: 0, signal: null, reason: 'exit' }],
  ['a code', 'exit 7', { code: 7, signal: null, reason: 'exit' }],
  ['a high code', 'exit 255', { code: 255, signal: null, reason: 'exit' }],
  ['a crash', 'kill -SEGV $$', { code: null, signal: 'SIGSEGV', reason: 'exit' }],
  ['its own SIGTERM', 'kill -TERM $$', { code: null, signal: 'SIGTERM', reason: 'exit' }],
]

const reporting: readonly Promised[] = [
  ...exits.map(
    ([what, script, expected]): Promised => ({
      name: `reports the end by ${what}`,
      test: async (_sandbox, { run }) => {
        expect((await run('/bin/sh', ['-c', script])).exit).toMatchObject(expected)
      },
    }),
  ),
  {
    name: 'reports a missing command',
    test: async (_sandbox, { run }) => {
      const { exit } = await run('no-such-command-anywhere')
      expect(exit).toMatchObject({ code: null, signal: null, reason: 'spawn-failed' })
      expect(exit.message).toContain('no-such-command-anywhere')
    },
  },
  {
    name: 'reports a missing working directory',
    test: async (_sandbox, { run }) => {
      const { exit } = await run('/bin/sh', ['-c', ':'], { cwd: '/no/such/directory' })
      expect(exit.reason).toBe('spawn-failed')
      expect(exit.message).toContain('/no/such/directory')
    },
  },
  {
    name: 'refuses a command that can’t be passed on truthfully',
    test: async (_sandbox, { run }) => {
      expect((await run('/bin/sh', ['a\0b'])).exit.reason).toBe('spawn-failed')
      expect((await run('/bin/sh', [], { env: { 'A=B': '' } })).exit.reason).toBe('spawn-failed')
      expect((await run('/bin/sh', [], { cwd: 'relative' })).exit.reason).toBe('spawn-failed')
    },
  },
  {
    name: 'passes standard input, output and errors',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(command('/bin/sh', ['-c', 'cat; echo problem >&2']))
      const [out, err]: Buffer[][] = [[], []]
      child.stdout.on('data', (chunk: Buffer) => out?.push(chunk))
      child.stderr.on('data', (chunk: Buffer) => err?.push(chunk))
      child.stdin.end('to be repeated')
      await child.exited
      await until(() => child.stdout.readableEnded && child.stderr.readableEnded)
      expect(Buffer.concat(out ?? []).toString()).toBe('to be repeated')
      expect(Buffer.concat(err ?? []).toString()).toBe('problem\n')
    },
  },
  {
    name: 'loses nothing of a big output',
    test: async (_sandbox, { run }) => {
      const script = `const c = Buffer.alloc(65536, 'abcdefgh'); for (let i = 0; i < 256; i++) require('fs').writeSync(1, c)`
      const { out, exit } = await run('node', ['-e', script])
      expect(exit.message).toBe('The command ended with code 0.')
      expect(out.length).toBe(16 * 1024 ** 2)
      const expected = createHash('sha256')
        .update('abcdefgh'.repeat(2 * 1024 ** 2))
        .digest('hex')
      expect(createHash('sha256').update(out).digest('hex')).toBe(expected)
    },
  },
  {
    name: 'lets output be read after the end',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(command('/bin/echo', ['kept']))
      await child.exited
      expect(Buffer.concat(await child.stdout.toArray()).toString()).toBe('kept\n')
    },
  },
  {
    name: 'survives writing to a command that has ended',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(command('/bin/true'))
      await child.exited
      await new Promise((resolve) => child.stdin.write('too late', resolve))
      child.stdin.end()
      child.kill()
    },
  },
]

const surroundings: readonly Promised[] = [
  {
    name: 'gives exactly the environment that was asked for',
    test: async (_sandbox, { run, paths }) => {
      const env = { PATH: '/usr/bin:/bin', EMPTY: '', LINES: 'a\nb', QUOTE: `'"$HOME\\`, HOME: paths.home }
      const { out } = await run('/bin/cat', ['/proc/self/environ'], { env })
      expect(out.split('\0').filter(Boolean).sort()).toEqual(
        Object.entries({ ...env, PWD: paths.workspace })
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      )
    },
  },
  {
    name: 'applies the environment to the command only, not to the sandbox around it',
    test: async (_sandbox, { run, paths }) => {
      // The loader would leave a trace of each program in the data directory, which the command can't write.
      const env = { PATH: '/usr/bin:/bin', LD_DEBUG: 'libs', LD_DEBUG_OUTPUT: join(paths.data, 'trace') }
      expect((await run('/bin/true', [], { env })).exit.code).toBe(0)
      expect(readdirSync(paths.data).filter((name) => name.startsWith('trace'))).toEqual([])
    },
  },
  {
    name: 'makes workspace and home writable, for the driver too',
    test: async (_sandbox, { run, paths }) => {
      const { exit } = await run('/bin/sh', [
        '-c',
        'echo a >made && mkdir d && echo b >"$HOME/made" && rm "$(mktemp)"',
      ])
      expect(exit.code).toBe(0)
      expect(readFileSync(join(paths.home, 'made'), 'utf8')).toBe('b\n')
      expect(statSync(join(paths.workspace, 'made')).uid).toBe(process.getuid?.())
      writeFileSync(join(paths.workspace, 'd', 'by-driver'), '')
    },
  },
  {
    name: 'runs node, git and ripgrep',
    test: async (_sandbox, { run, paths }) => {
      const git =
        'git init -q r && cd r && echo x >f && git add f && git -c user.name=a -c user.email=a@b commit -qm m && git log --oneline'
      expect((await run('node', ['-p', 'process.version'])).out.trim()).toBe(process.version)
      expect((await run('/bin/sh', ['-c', git])).out).toMatch(/^[0-9a-f]+ m\n$/)
      expect(existsSync(join(paths.workspace, 'r/.git'))).toBe(true)
      if (existsSync('/usr/bin/rg')) expect((await run('rg', ['-N', 'x', 'r/f'])).out).toBe('x\n')
    },
  },
  {
    name: 'reaches the door',
    test: async (_sandbox, { run, paths }) => {
      const door = { socket: paths.door, target: paths.doorInside }
      const script = `const s = require('net').connect('${paths.doorInside}', () => s.end('knock')); s.pipe(process.stdout)`
      expect((await run('node', ['-e', script], { door })).out).toBe('knock')
    },
  },
  {
    name: 'passes its self-test',
    test: async (sandbox, { command, paths }) => {
      const door = { socket: paths.door, target: paths.doorInside }
      const { cwd, env, mounts } = command('')
      const hidden = [paths.data, paths.otherHome, '/run/docker.sock']
      const results = await selfTest(sandbox, { cwd, env, mounts, door, hidden })
      expect(results.filter(({ ok }) => !ok)).toEqual([])
      expect(results.length).toBeGreaterThanOrEqual(sandbox.kind === 'container' ? 11 : 12)
    },
  },
]

const ending: readonly Promised[] = [
  {
    name: 'ends with SIGTERM first, which the command may handle',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(
        command('/bin/sh', ['-c', 'trap "echo bye; exit 9" TERM; echo ready; while :; do sleep 0.01; done']),
      )
      await untilOutput(child.stdout, 'ready')
      child.kill()
      expect(await child.exited).toMatchObject({ code: 9, reason: 'killed' })
    },
  },
  {
    name: 'kills a command that ignores SIGTERM after the grace period',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(
        command('/bin/sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done']),
      )
      await untilOutput(child.stdout, 'ready')
      child.kill('SIGTERM')
      expect(await child.exited).toMatchObject({ signal: 'SIGKILL', reason: 'killed' })
    },
  },
  ...(['kill', 'exit', 'abort'] as const).map(
    (how): Promised => ({
      name: `takes daemonised children along at ${how}`,
      test: async (sandbox, { command }) => {
        const word = `berth-daemon-${randomUUID()}`
        // A double fork into a new session: no parent, no group, no terminal leads to it.
        const daemon = `setsid sh -c 'sh -c "while :; do sleep 1; done" ${word} & ' & wait; echo started; ${how === 'exit' ? 'read x' : 'sleep 100'}`
        const abort = new AbortController()
        const child = sandbox.spawn(command('/bin/sh', ['-c', daemon], { signal: abort.signal }))
        await until(() => processesWith(word).length > 0)
        await untilOutput(child.stdout, 'started')
        if (how === 'kill') child.kill('SIGKILL')
        else if (how === 'abort') abort.abort()
        else child.stdin.end('\n')
        expect((await child.exited).reason).toBe(how === 'exit' ? 'exit' : 'killed')
        expect(processesWith(word)).toEqual([])
      },
    }),
  ),
  {
    name: 'ends what is started with a signal that was aborted before',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(command('/bin/sleep', ['100'], { signal: AbortSignal.abort() }))
      expect((await child.exited).reason).toBe('killed')
    },
  },
  {
    name: 'ends at the time limit',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(command('/bin/sleep', ['100'], { limits: { wallClockMs: 200 } }))
      const exit = await child.exited
      expect(exit.reason).toBe('time-limit')
      expect(exit.message).toContain('200 ms')
    },
  },
]

const modest = { memoryBytes: 192 * 1024 ** 2, processes: 48 }

const limits: readonly Promised[] = [
  {
    name: 'refuses processes over the limit and harms no other sandbox',
    test: async (sandbox, { command, run }) => {
      const bomb = 'b() { b | b & }; b 2>/dev/null; echo lit; sleep 100'
      const child = sandbox.spawn(command('/bin/sh', ['-c', bomb], { limits: modest }))
      await untilOutput(child.stdout, 'lit')
      expect(
        (await run('/bin/sh', ['-c', 'for i in 1 2 3 4 5 6 7 8; do /bin/true & done; wait; echo fine'])).out,
      ).toBe('fine\n')
      expect(child.usage()?.processes ?? 0).toBeLessThanOrEqual(modest.processes + 4)
      child.kill('SIGKILL')
      await child.exited
    },
  },
  {
    name: 'refuses memory over the limit, and the rest of the sandbox goes on',
    test: async (sandbox, { command }) => {
      const hog = `node -e 'const a = []; for (let i = 0; i < 1024; i++) a.push(Buffer.alloc(1 << 20, 1)); console.log("ESCAPED")'`
      const child = await collect(
        sandbox,
        command('/bin/sh', ['-c', `${hog}; echo "hog ended with $?"`], { limits: modest }),
      )
      expect(child.out).not.toContain('ESCAPED')
      expect(child.out).toMatch(/hog ended with [1-9]/)
    },
  },
  {
    name: 'refuses a file over the limit',
    test: async (_sandbox, { run, paths }) => {
      const fileBytes = 1024 ** 2
      await run('/bin/sh', ['-c', 'head -c 8388608 /dev/zero >big'], { limits: { fileBytes } })
      expect(statSync(join(paths.workspace, 'big')).size).toBeLessThanOrEqual(fileBytes)
    },
  },
  {
    name: 'refuses to fill temporary directories over the limit',
    test: async (_sandbox, { run }) => {
      const script =
        'for d in /tmp /dev/shm /var/tmp; do head -c 8388608 /dev/zero >$d/big 2>/dev/null && echo ESCAPED $d; rm -f $d/big; done; echo tried'
      expect((await run('/bin/sh', ['-c', script], { limits: { temporaryBytes: 1024 ** 2 } })).out).toBe(
        'tried\n',
      )
    },
  },
  {
    name: 'ends a process at its CPU limit',
    test: async (_sandbox, { run }) => {
      const { exit } = await run('/bin/sh', ['-c', 'while :; do :; done'], { limits: { cpuSeconds: 1 } })
      expect(['SIGXCPU', 'SIGKILL']).toContain(exit.signal)
    },
  },
  {
    name: 'measures what a command uses',
    test: async (sandbox, { command }) => {
      const child = sandbox.spawn(
        command('node', [
          '-e',
          'const b = Buffer.alloc(64 << 20, 1); console.log("ready"); setInterval(() => b[0]++, 10)',
        ]),
      )
      await untilOutput(child.stdout, 'ready')
      // It may have been measured a moment ago.
      await until(() => (child.usage()?.memoryBytes ?? 0) > 64 * 1024 ** 2)
      const usage = child.usage()
      expect(usage?.processes).toBeGreaterThanOrEqual(1)
      expect(usage?.oomKills).toBe(0)
      child.kill('SIGKILL')
      await child.exited
    },
  },
]

export const behaviour: readonly Promised[] = [...reporting, ...surroundings, ...ending, ...limits]

async function untilOutput(stream: NodeJS.ReadableStream, word: string): Promise<void> {
  let seen = ''
  stream.on('data', (chunk: Buffer) => {
    seen += chunk.toString()
  })
  await until(() => seen.includes(word))
}

import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { asSpawnedProcess, createNoSandbox } from './index.ts'

const sandbox = createNoSandbox({ graceMs: 300 })
const start = (script: string, onStderr?: (text: string) => void, cwd = '/') =>
  asSpawnedProcess(
    sandbox.spawn({
      command: '/bin/sh',
      args: ['-c', script],
      cwd,
      env: { PATH: '/usr/bin:/bin' },
      mounts: [],
    }),
    onStderr,
  )
const exitOf = (child: ReturnType<typeof start>) =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])))

it('speaks the protocol of a child process', async () => {
  let errors = ''
  const child = start('read line; echo "$line"; echo oops >&2; exit 4', (text) => {
    errors += text
  })
  expect([child.exitCode, child.signalCode, child.killed]).toEqual([null, null, false])
  const exit = exitOf(child)
  child.stdin.end('hello\n')
  expect(await text(child.stdout)).toBe('hello\n')
  expect(await exit).toEqual([4, null])
  expect([child.exitCode, child.signalCode, child.killed]).toEqual([4, null, false])
  expect(errors).toBe('oops\n')
  expect(child.kill('SIGTERM')).toBe(false)
})

it('kills', async () => {
  const child = start('sleep 100')
  const exit = exitOf(child)
  expect(child.kill('SIGTERM')).toBe(true)
  expect(child.killed).toBe(true)
  expect(await exit).toEqual([null, 'SIGTERM'])
  expect(child.signalCode).toBe('SIGTERM')
})

it('reports a failed start as an error', async () => {
  const child = start('true', undefined, '/no/such/directory')
  const error = await new Promise((resolve) => child.once('error', resolve))
  expect(String(error)).toContain('/no/such/directory')
  expect(child.exitCode).toBe(127)
})

it('removes listeners', async () => {
  const child = start('true')
  const never = () => expect.unreachable()
  child.on('exit', never)
  child.off('exit', never)
  await exitOf(child)
})

it('reads errors that nobody asked for, so that the command goes on', async () => {
  const child = start('head -c 1000000 /dev/zero >&2; exit 3')
  expect(await exitOf(child)).toEqual([3, null])
})

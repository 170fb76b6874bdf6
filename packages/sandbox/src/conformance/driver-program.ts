/**
 * A driver of its own, for tests that kill the driver or run it as another user. Arguments: module and name of
 * the function that makes the sandbox, its options, then the command, both as JSON. It prints the exit and the
 * output as JSON, or `started` for a command that is to be left running.
 */
import { text } from 'node:stream/consumers'
import type { Sandbox, SandboxCommand } from '../sandbox.ts'

const [module = '', factory = '', options = '{}', command = '{}', mode = 'run'] = process.argv.slice(2)
const make = Reflect.get(await import(module), factory) as (options: unknown) => Sandbox
const sandbox = make(JSON.parse(options))
const child = sandbox.spawn(JSON.parse(command) as SandboxCommand)
child.stdin.end()
if (mode === 'hold') {
  child.stdout.pipe(process.stdout)
  child.stderr.pipe(process.stderr)
  await child.exited
} else {
  const [out, err, exit] = await Promise.all([text(child.stdout), text(child.stderr), child.exited])
  console.log(JSON.stringify({ exit, out, err, usage: child.usage() }))
}

import { isMainThread } from 'node:worker_threads'
import type { SandboxCommand } from './sandbox.ts'

/** Something in a command that a sandbox refuses to start; becomes an exit with the reason `spawn-failed`. */
export class CommandRefused extends Error {
  override readonly name = 'CommandRefused'
}

const MAX_VARIABLES = 1000
const MAX_BYTES = 1024 ** 2
/** The longest path in `struct sockaddr_un` that every platform takes. */
const MAX_SOCKET_PATH = 104

/** Throws a TypeError off the main thread: the parent-death signal would follow a worker's end. */
export function requireMainThread(): void {
  if (!isMainThread) throw new TypeError('A sandbox must be started on the main thread, not in a worker.')
}

/** Refuses what no adapter can pass on truthfully: NUL bytes, `=` in names, relative paths, sizes. */
export function checkCommand(command: SandboxCommand): void {
  const texts = [command.command, command.cwd, ...command.args, ...Object.entries(command.env).flat()]
  if (texts.some((text) => text.includes('\0'))) {
    throw new CommandRefused('the command, its arguments or its environment contain a NUL byte.')
  }
  if (texts.reduce((total, text) => total + Buffer.byteLength(text), 0) > MAX_BYTES) {
    throw new CommandRefused(`its arguments and environment are larger than ${MAX_BYTES} bytes together.`)
  }
  const names = Object.keys(command.env)
  if (names.length > MAX_VARIABLES) throw new CommandRefused(`it has more than ${MAX_VARIABLES} variables.`)
  const bad = names.find((name) => name === '' || name.includes('='))
  if (bad !== undefined) throw new CommandRefused(`"${bad}" can't be the name of a variable.`)
  if (command.command === '') throw new CommandRefused('the command is empty.')
  const paths = [command.cwd, ...command.mounts.flatMap(({ path, target }) => [path, target ?? path])]
  if (command.door) paths.push(command.door.socket, command.door.target)
  const relative = paths.find((path) => !path.startsWith('/') || path.split('/').includes('..'))
  if (relative !== undefined) throw new CommandRefused(`"${relative}" is not an absolute path without "..".`)
  if (command.door && Buffer.byteLength(command.door.target) > MAX_SOCKET_PATH) {
    throw new CommandRefused(`the door's path inside is longer than ${MAX_SOCKET_PATH} bytes.`)
  }
}

import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect } from './connection.ts'
import type { Context } from './context.ts'
import { runCli } from './run-cli.ts'
import { clackPerson } from './terminal/clack-person.ts'
import { openLineInput } from './terminal/line-input.ts'
import { pageOpener } from './terminal/open-page.ts'
import { outputOn } from './terminal/output.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const { env, stdin, stdout, stderr } = process
const isInteractive = stdin.isTTY === true && stdout.isTTY === true

const context: Context = {
  env,
  berth: env.npm_execpath === undefined ? 'berth' : 'npx berth',
  out: outputOn(stdout, env),
  err: outputOn(stderr, env),
  client: connect(env),
  programs: {
    backend: join(root, 'apps', 'backend', 'src', 'main.ts'),
    runner: join(root, 'apps', 'runner', 'src', 'main.ts'),
    sample: join(root, 'packages', 'scripted-model', 'sample-repo'),
  },
  now: () => Date.now(),
  person: isInteractive ? clackPerson() : undefined,
  openLine: isInteractive ? () => openLineInput(stdin, stdout) : undefined,
  openPage: pageOpener(env, stdout.isTTY === true),
  readInput: () => text(stdin),
  inputBytes: () => stdin,
  inputIsTty: stdin.isTTY === true,
  onInterrupt: (listener) => {
    process.on('SIGINT', listener)
    return () => void process.off('SIGINT', listener)
  },
}

// A reader that leaves early (`berth ls | head`) is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 7))

const code = await runCli(process.argv.slice(2), context)
stdout.write('', () => process.exit(code))

import { createClient } from '@berth/client'
import type { Context } from './context.ts'
import { runCli } from './run-cli.ts'
import type { Output } from './terminal/output.ts'
import { plain } from './terminal/style.ts'

export interface TestContext extends Context {
  /** What was written so far. */
  stdout(): string
  stderr(): string
  /** Resolves once standard output holds the text. */
  written(text: string): Promise<void>
  interrupt(): void
}

/** A context that writes to memory and calls the given backend. */
export const testContext = (url: string, changes: Partial<Context> = {}): TestContext => {
  const listeners = new Set<() => void>()
  const waiting: { text: string; done: () => void }[] = []
  let stdout = ''
  let stderr = ''
  const sink = (add: (text: string) => void): Output => ({
    write: add,
    bytes: (chunk) => add(Buffer.from(chunk).toString('utf8')),
    line: (text = '') => add(`${text}\n`),
    drained: async () => undefined,
    columns: () => 100,
    isTty: false,
    style: plain,
  })
  const check = () => {
    for (const item of waiting) if (stdout.includes(item.text)) item.done()
  }
  return {
    env: { BERTH_URL: url },
    berth: 'berth',
    client: createClient({ baseUrl: url, retry: { attempts: 2, baseMs: 1, maxMs: 5 } }),
    programs: { backend: '/nowhere', runner: '/nowhere', sample: '/nowhere' },
    now: () => Date.now(),
    readInput: async () => 'from standard input',
    inputBytes: async function* () {
      yield Buffer.from('from standard input')
    },
    inputIsTty: false,
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    ...changes,
    out: sink((text) => {
      stdout += text
      check()
    }),
    err: sink((text) => {
      stderr += text
    }),
    stdout: () => stdout,
    stderr: () => stderr,
    written: (text) =>
      new Promise((done) => {
        waiting.push({ text, done })
        check()
      }),
    interrupt: () => {
      for (const listener of [...listeners]) listener()
    },
  }
}

/** Runs a command against a backend: its exit code, and what it wrote. */
export const runAgainst = async (url: string, args: string[], changes: Partial<Context> = {}) => {
  const context = testContext(url, changes)
  const code = await runCli(args, context)
  return { code, out: context.stdout(), err: context.stderr() }
}

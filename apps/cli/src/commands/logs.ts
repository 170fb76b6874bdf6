import { type LogSource, limits, logSource } from '@berth/contract'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import {
  examples,
  type JsonOptions,
  jsonOption,
  type ProjectOptions,
  projectOption,
  wholeNumber,
} from '../options.ts'
import { logLineText } from '../render/log-line.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'

interface LogsOptions extends ProjectOptions, JsonOptions {
  source?: LogSource
  follow?: boolean
  lines: number
}

/** The runner sends its lines once a second. */
const pollMs = 1000

export const addLogs = (program: Command, context: Context): void => {
  const command = program
    .command('logs')
    .summary('show what a session’s runner and agent wrote to their logs')
    .description(
      'Shows the log of a session’s runner, and what Claude Code and its MCP servers wrote to their error output: for finding out ' +
        'why something does not work. The newest lines are kept, without tokens, until the session is purged.',
    )
    .argument('<session>', sessionArgument)
    .addOption(new Option('--source <who>', 'only these lines').choices(logSource.options))
    .option('-f, --follow', 'stay, and show lines as they come')
    .option('-n, --lines <count>', 'so many of the newest lines', wholeNumber(1, limits.logPage), 200)
    .addOption(projectOption())
    .addOption(jsonOption('the lines'))
    .action((text: string, options: LogsOptions) => logs(context, text, options))
  examples(command, ['berth logs last', 'berth logs last --source agent -n 50', 'berth logs last --follow'])
}

const logs = async (context: Context, text: string, options: LogsOptions): Promise<void> => {
  const { client, out, err } = context
  const { id, project } = await findSession(text, { client, project: options.project })
  const params = { project, session: id }
  const { source } = options
  const page = await client.listLogs({ params, query: { source, limit: options.lines } })
  const print = (items: typeof page.items) => {
    for (const line of items) out.line(options.json === true ? safeJson(line) : logLineText(line, out.style))
  }
  print(page.items)
  if (options.follow !== true) {
    if (page.items.length === 0 && options.json !== true) err.line('Nothing was logged yet.')
    return
  }
  const stop = new AbortController()
  const forget = context.onInterrupt(() => stop.abort())
  try {
    let { cursor } = page
    while (!stop.signal.aborted) {
      const more = await client.listLogs({ params, query: { source, after: cursor, limit: limits.logPage } })
      print(more.items)
      cursor = more.cursor
      if (!more.more) await pause(stop.signal)
    }
  } finally {
    forget()
  }
}

const pause = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, pollMs)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
    if (signal.aborted) resolve()
  })

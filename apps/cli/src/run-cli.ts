import { CommanderError } from 'commander'
import { BackendExit } from './commands/serve.ts'
import { tokenSource, urlOf } from './connection.ts'
import type { Context } from './context.ts'
import { ExitError, exitCodes } from './exit-code.ts'
import { buildProgram } from './program.ts'
import { errorObject, exitReasonOf, renderError } from './render/problem.ts'
import { safeJson } from './terminal/safe-text.ts'

/** Runs a command line (without node and script) and gives its exit code. Never throws. */
export const runCli = async (args: readonly string[], context: Context): Promise<number> => {
  try {
    checkUrl(context.env)
    await buildProgram(context).parseAsync([...args], { from: 'user' })
    return exitCodes.success.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage.code
    if (error instanceof BackendExit) {
      context.err.line(error.message)
      return error.code
    }
    await report(error, args, context)
    return exitCodes[exitReasonOf(error)].code
  }
}

const checkUrl = (env: NodeJS.ProcessEnv): void => {
  const url = urlOf(env)
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new ExitError(
      'usage',
      `${url} is not an http or https URL. Look at BERTH_URL, BERTH_HOST and BERTH_PORT.`,
    )
}

const report = async (
  error: unknown,
  args: readonly string[],
  { err, env, berth }: Context,
): Promise<void> => {
  // An empty message says: what there was to say has been said.
  if (error instanceof Error && error.message === '') return
  const text = args.includes('--json')
    ? safeJson(errorObject(error))
    : renderError(error, {
        style: err.style,
        url: urlOf(env),
        berth,
        columns: err.isTty ? err.columns() : Infinity,
        token: await tokenSource(env),
      })
  err.line(text)
}

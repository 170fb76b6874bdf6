import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type Finding, runChecks } from '../doctor/checks.ts'
import { explainSession } from '../doctor/session.ts'
import { ExitError } from '../exit-code.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { wrap } from '../render/wrap.ts'
import { sessionArgument } from '../session-ref.ts'
import type { Output } from '../terminal/output.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'
import { padEnd } from '../terminal/width.ts'

export const addDoctor = (program: Command, context: Context): void => {
  program
    .command('doctor')
    .summary('check this machine, or say what a session waits for')
    .description(
      'Checks Node, git, the sandbox, the data directory, disk, model key and backend, and says how to repair each. With a session: says what it waits for, and which command helps.',
    )
    .argument('[session]', `the session to look at: ${sessionArgument}`)
    .addOption(projectOption())
    .addOption(jsonOption('findings'))
    .action((session: string | undefined, options: ProjectOptions & JsonOptions) =>
      doctor(context, session, options),
    )
}

const doctor = async (
  context: Context,
  session: string | undefined,
  options: ProjectOptions & JsonOptions,
): Promise<void> => {
  const findings =
    session === undefined ? await runChecks(context) : await explainSession(context, session, options.project)
  const { out } = context
  for (const finding of findings)
    out.line(options.json === true ? safeJson(finding) : renderFinding(finding, out))
  if (session !== undefined) return
  const failed = findings.filter((finding) => finding.state === 'fail').map((finding) => finding.name)
  if (failed.length > 0)
    throw new ExitError('failed', options.json === true ? '' : `To repair: ${failed.join(', ')}.`)
}

const signs = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const

/** One finding in a line, its repair in the next. */
const renderFinding = (
  { name, state, detail, repair }: Finding,
  { style, columns }: Pick<Output, 'style' | 'columns'>,
): string => {
  const [paint, sign] = signs[state]
  const line = wrap(`${style[paint](sign)} ${padEnd(name, 14)} ${safeLine(detail)}`, columns(), 17)
  if (repair === undefined || state === 'ok') return line
  return `${line}\n${style.dim(wrap(`${' '.repeat(17)}→ ${safeLine(repair)}`, columns(), 2))}`
}

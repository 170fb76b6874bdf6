import type { Finding } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { runChecks } from '../doctor/checks.ts'
import { checkCluster } from '../doctor/cluster.ts'
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
      'Checks Node, git, the sandbox, the data directory, disk, model key and backend, and says how to repair each. With a session: says what it waits for, and which command helps. With --kubernetes: checks the cluster, from here with kubectl and from the backend with a probe pod.',
    )
    .argument('[session]', `the session to look at: ${sessionArgument}`)
    .option('--kubernetes', 'check the cluster of the backend: rights, quota, images, names, network rules')
    .addOption(projectOption())
    .addOption(jsonOption('findings'))
    .action((session: string | undefined, options: DoctorOptions) => doctor(context, session, options))
}

interface DoctorOptions extends ProjectOptions, JsonOptions {
  kubernetes?: boolean
}

const findingsOf = (
  context: Context,
  session: string | undefined,
  { kubernetes, project }: DoctorOptions,
): Promise<Finding[]> => {
  if (session !== undefined) return explainSession(context, session, project)
  return kubernetes === true ? checkCluster(context, project) : runChecks(context)
}

const doctor = async (
  context: Context,
  session: string | undefined,
  options: DoctorOptions,
): Promise<void> => {
  const findings = await findingsOf(context, session, options)
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

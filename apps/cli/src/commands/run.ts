import type { CreateSession, SessionSummary } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { follow } from '../follow/follow.ts'
import { exitOf, type Outcome } from '../follow/outcome.ts'
import {
  collect,
  collectLabel,
  examples,
  type JsonOptions,
  jsonOption,
  type ProjectOptions,
  projectOption,
  verboseOption,
} from '../options.ts'
import { addCloneOptions, type CloneOptions, cloneFields, parseRepository } from '../repository-argument.ts'
import { shortId } from '../session-ref.ts'
import { addSettingFlags, type SettingFlags, settingsOfFlags } from '../settings/setting-flags.ts'
import {
  addWorkflowFlags,
  trackFirstTurn,
  type WorkflowFlags,
  workflowOfFlags,
} from '../settings/workflow-flags.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { promptText } from './prompt-text.ts'

interface RunOptions extends ProjectOptions, JsonOptions, SettingFlags, WorkflowFlags, CloneOptions {
  repo?: string[]
  branch?: string
  title?: string
  label?: Record<string, string>
  detach?: boolean
  private?: boolean
  verbose?: boolean
}

export const addRun = (program: Command, context: Context): void => {
  const command = program
    .command('run')
    .summary('start a session and follow its first turn')
    .description(
      'Starts a session with a prompt and follows it until the turn ends. `-` reads the prompt from standard input. With a workflow that has a first prompt, none is needed.',
    )
    .argument('[prompt...]', 'what the agent should do')
    .option('-r, --repo <location>', 'repository: URL or path, with #branch; repeatable', collect)
    .option('-b, --branch <name>', 'branch to start from, for repositories that name none')
    .option('-t, --title <text>', 'title (default: made from the prompt)')
    .option('-l, --label <key=value>', 'label; repeatable', collectLabel)
    .option('--private', 'only you, those you share it with, and admins of the project see the session')
    .option('-d, --detach', 'don’t follow: print the session’s id and end')
    .addOption(verboseOption())
    .addOption(projectOption())
    .addOption(jsonOption('events as on the wire'))
    .action((words: string[], options: RunOptions) => run(context, words, options))
  addWorkflowFlags(addSettingFlags(addCloneOptions(command)))
  examples(command, [
    'berth run --repo . "Fix the failing test"',
    'berth run -r https://github.com/you/app.git#main --ask "Bash(git push:*)" "Update the dependencies"',
    'berth run --budget-usd 5 --deadline 2h --max-turns 20 --set stopWhenDone=true "Migrate the tests"',
    'git diff | berth run - --detach',
    'berth run --repo . --workflow https://github.com/you/flows.git --workflow-path review',
  ])
}

const run = async (context: Context, words: readonly string[], options: RunOptions): Promise<void> => {
  const begins = words.length === 0 && options.workflow !== undefined
  const prompt = begins ? undefined : await promptText(context, words)
  const session = await createSession(context, { ...options, prompt })
  if (options.detach === true) return printDetached(context, session, options)
  const outcome = await followFirstTurn(context, session, {
    json: options.json === true,
    verbose: options.verbose,
  })
  await finish(context, outcome, { session, json: options.json === true })
}

/** Creates the session that the options describe. */
export const createSession = (
  { client }: Context,
  options: RunOptions & { prompt?: string },
): Promise<SessionSummary> => {
  const repositories = (options.repo ?? []).map((text) => {
    const repository = { ...parseRepository(text, process.cwd()), ...cloneFields(options) }
    return repository.branch === undefined && options.branch !== undefined
      ? { ...repository, branch: options.branch }
      : repository
  })
  const body: CreateSession = {
    ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
    labels: options.label ?? {},
    repositories,
    settings: { ...settingsOfFlags(options), ...workflowOfFlags(options) },
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(options.private === true ? { visibility: 'private' as const } : {}),
  }
  return client.createSession({ params: { project: options.project }, body })
}

/** Follows a new session from its first event to the end of its first turn. */
export const followFirstTurn = (
  context: Context,
  session: SessionSummary,
  { json, verbose = false }: { json: boolean; verbose?: boolean | undefined },
): Promise<Outcome> =>
  follow(context, {
    project: session.project,
    session: session.id,
    after: 0,
    liveFrom: 0,
    json,
    verbose,
    until: trackFirstTurn(session.turn?.prompt ?? session.queue[0]?.prompt),
    expectsChanges: session.repositories.length > 0,
  })

/** Says how to go on, and sets the exit code. */
export const finish = async (
  context: Context,
  outcome: Outcome,
  { session, json }: { session: SessionSummary; json: boolean },
): Promise<void> => {
  const { style } = context.err
  if (!json) {
    if (outcome.kind !== 'turn' && outcome.kind !== 'failed')
      context.err.line(`${style.yellow('!')} ${outcome.message}`)
    const next = await nextSteps(context, outcome, session)
    if (next !== '') context.err.line(style.dim(`  ${next}`))
  }
  const reason = outcome.kind === 'detached' ? 'interrupted' : exitOf(outcome)
  if (reason !== 'success') throw new ExitError(reason, '')
}

/** The commands that make sense now. */
const nextSteps = async (
  { client, berth }: Context,
  outcome: Outcome,
  { id, project }: SessionSummary,
): Promise<string> => {
  const short = shortId(id)
  if (outcome.kind === 'failed') return `Once that is repaired: ${berth} resume ${short}`
  if (outcome.kind === 'person') return ''
  if (outcome.kind === 'stopped')
    return `Go on: ${berth} resume ${short} · What it waits for: ${berth} doctor ${short}`
  const now = await client.getSession({ params: { project, session: id } }).catch(() => undefined)
  const diff = (now?.diff.files ?? 0) > 0 ? [`${berth} diff ${short}`] : []
  return `Go on: ${[...diff, `${berth} prompt ${short} "…"`, `${berth} attach ${short}`].join(' · ')}`
}

const printDetached = (context: Context, session: SessionSummary, options: RunOptions): void => {
  context.out.line(options.json === true ? safeJson(session) : session.id)
  if (options.json === true) return
  context.err.line(context.err.style.dim(`  Follow it: ${context.berth} attach ${shortId(session.id)}`))
}

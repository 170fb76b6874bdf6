import type { SessionSummary } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { follow } from '../follow/follow.ts'
import { trackPrompt } from '../follow/outcome.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { promptText } from './prompt-text.ts'
import { finish } from './run.ts'

interface PromptOptions extends ProjectOptions, JsonOptions {
  follow?: boolean
}

export const addPrompt = (program: Command, context: Context): void => {
  program
    .command('prompt')
    .summary('send a prompt')
    .description(
      'Sends a prompt. It waits while the agent is busy, and wakes a stopped session. `-` reads standard input.',
    )
    .argument('<session>', sessionArgument)
    .argument('<text...>', 'what the agent should do')
    .option('-f, --follow', 'stay until its turn ends; the exit code tells the result')
    .addOption(projectOption())
    .addOption(jsonOption('the answer; with --follow, events as on the wire'))
    .action((text: string, words: string[], options: PromptOptions) =>
      prompt(context, { text, words }, options),
    )
}

const prompt = async (
  context: Context,
  { text, words }: { text: string; words: string[] },
  options: PromptOptions,
): Promise<void> => {
  const { client } = context
  const json = options.json === true
  const { id, project } = await findSession(text, { client, project: options.project })
  const content = await promptText(context, words)
  const sent = await client.createPrompt({ params: { project, session: id }, body: { content } })
  if (options.follow !== true) {
    if (json) return context.out.line(safeJson(sent))
    const place =
      sent.position === 0 ? '' : `; it waits behind ${sent.position === 1 ? 'one' : sent.position} other`
    context.out.line(`Sent${place}. Follow it: ${context.berth} attach ${shortId(id)}`)
    if (sent.session.blockedBy !== undefined) context.err.line(heldText(context, sent.session))
    return
  }
  if (sent.session.blockedBy !== undefined)
    throw new ExitError('interrupted', heldText(context, sent.session))
  if (sent.session.requests.length > 0 && context.person === undefined)
    throw new ExitError(
      'person',
      `The agent waits for a person first. Answer with: ${context.berth} attach ${shortId(id)}`,
    )
  const outcome = await follow(context, {
    project,
    session: id,
    after: sent.seq - 1,
    liveFrom: sent.seq,
    json,
    scripted: sent.session.modelSource === 'scripted',
    until: trackPrompt(sent.prompt),
    expectsChanges: sent.session.repositories.length > 0,
  })
  await finish(context, outcome, { session: sent.session, json })
}

/** A prompt to a session that is held back is kept, and nothing happens until somebody acts. */
const heldText = ({ berth }: Context, { id, blockedBy }: SessionSummary): string =>
  `The prompt waits: the session has reached its limit (${blockedBy}). What to do: ${berth} doctor ${shortId(id)}`

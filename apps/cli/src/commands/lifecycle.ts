import type { SessionSummary } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { findSession, sessionArgument, shortId } from '../session-ref.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

interface Verb {
  name: string
  summary: string
  description: string
  does(context: Context, params: { project: string; session: string }): Promise<SessionSummary>
  says: string
}

const verbs: readonly Verb[] = [
  {
    name: 'interrupt',
    summary: 'interrupt the running turn',
    description:
      'Interrupts the running turn. What was said so far stays, and the session takes the next prompt.',
    does: ({ client }, params) => client.interruptSession({ params }),
    says: 'Interrupting',
  },
  {
    name: 'stop',
    summary: 'stop a session',
    description:
      'Stops a session: saves its state, then ends its runner. A prompt or `berth resume` takes it up again.',
    does: ({ client }, params) => client.stopSession({ params }),
    says: 'Stopping',
  },
  {
    name: 'resume',
    summary: 'start a stopped or failed session again',
    description: 'Starts a stopped or failed session again, with its conversation and files.',
    does: ({ client }, params) => client.resumeSession({ params }),
    says: 'Resuming',
  },
]

/** `interrupt`, `stop` and `resume`: one call each. */
export const addLifecycle = (program: Command, context: Context): void => {
  for (const verb of verbs)
    program
      .command(verb.name)
      .summary(verb.summary)
      .description(verb.description)
      .argument('<session>', sessionArgument)
      .addOption(projectOption())
      .addOption(jsonOption('the summary'))
      .action(async (text: string, options: ProjectOptions & JsonOptions) => {
        const found = await findSession(text, { client: context.client, project: options.project })
        const session = await verb.does(context, { project: found.project, session: found.id })
        const line = `${verb.says} ${shortId(session.id)} (${safeLine(session.title)})`
        context.out.line(options.json === true ? safeJson(session) : line)
      })
}

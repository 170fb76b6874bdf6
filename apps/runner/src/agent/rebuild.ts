import type { RunnerClient } from '@berth/client'
import type { RunnerFactBody } from '@berth/contract'
import { isSlashCommand } from '../turn/slash-command.ts'
import type { AgentContent } from './live-agent.ts'
import { type LogSummary, summariseLog } from './log-summary.ts'

type Prompt = (seq: number, signal: AbortSignal) => Promise<AgentContent[]>

/** A conversation that can't be gone on with begins anew, with what the log tells of it. */
export interface Rebuild {
  /** The conversation is lost: the next prompt gets a summary of the log before it. */
  lost(reason: string): void
  withSummary(prompt: Prompt): Prompt
}

export interface RebuildOptions {
  home: Pick<RunnerClient, 'events'>
  emit(body: RunnerFactBody): void
  signal: AbortSignal
}

export const createRebuild = ({ home, emit, signal }: RebuildOptions): Rebuild => {
  let summary: Promise<LogSummary> | undefined
  const read = async (reason: string): Promise<LogSummary> => {
    const found = await summariseLog(home.events({ after: 0, follow: false, signal }))
    // Before the first turn has ended, nothing is lost.
    if (found.turns > 0)
      emit({ type: 'conversation.rebuilt', data: { reason: reason.slice(0, 4000), turns: found.turns } })
    return found
  }
  return {
    lost(reason) {
      const reading = read(reason)
      summary = reading
      reading.catch(() => {
        if (summary === reading) summary = undefined
      })
    },
    withSummary: (prompt) => async (seq, over) => {
      const content = await prompt(seq, over)
      // With a slash command the summary waits for the next prompt.
      if (summary === undefined || isSlashCommand(content)) return content
      const { text } = await summary
      summary = undefined
      return text === undefined ? content : [{ type: 'text', text: intro(text) }, ...content]
    },
  }
}

const intro = (summary: string): string =>
  '<system-reminder>\nThe record of this conversation was lost. This is what the session’s log tells of it, newest last and ' +
  `shortened; the files are as you left them.\n\n${summary.replaceAll('</system-reminder>', '')}\n</system-reminder>`

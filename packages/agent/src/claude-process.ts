import { type Query, query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk'
import { preview } from '@berth/contract'
import type { AgentOptions } from './agent.ts'
import { AgentError } from './agent-error.ts'
import { claudeOptions } from './claude-options.ts'
import { systemClock } from './clock.ts'
import { type Fields, fieldsOf, textsOf } from './fields.ts'
import { createInputQueue } from './input-queue.ts'
import type { PermissionGate } from './permission-gate.ts'
import { createWatchedProcess } from './watched-process.ts'

const stderrTail = 2000

/** One Claude Code process with its two streams. */
export interface ClaudeProcess {
  conversation: string
  live: Query
  send(message: SDKUserMessage): void
  /** No more prompts: an idle Claude Code then ends. */
  endInput(): void
  /** Reads every message until the end, and when the process is gone, says why. Never rejects. */
  read(onMessage: (message: Fields) => void): Promise<AgentError>
}

const endError = (cause: unknown, details: string[]): AgentError => {
  const said = cause instanceof Error ? cause.message : 'It ended by itself.'
  const parts = [...new Set([said, ...details])].filter((text) => text !== '')
  return new AgentError('ended', `Claude Code ended: ${preview(parts.join(' '), 3000)}`, { cause })
}

/** Starts Claude Code. */
export const startClaude = (options: AgentOptions, gate: PermissionGate): ClaudeProcess => {
  const input = createInputQueue<SDKUserMessage>()
  let stderr = ''
  let failure = ''
  const onStderr = (text: string) => {
    stderr = (stderr + text).slice(-stderrTail)
    options.onStderr?.(text)
  }
  const watched = createWatchedProcess({
    spawn: options.spawn,
    onStderr,
    clock: options.clock ?? systemClock,
  })
  const claude = claudeOptions(options, { gate, spawn: watched.spawn })
  const live = query({ prompt: input, options: claude.options })
  return {
    live,
    conversation: claude.conversation,
    send: input.push,
    endInput: input.end,
    async read(onMessage) {
      let cause: unknown
      try {
        for await (const message of live) {
          const fields = fieldsOf(message)
          if (fields.type === 'result') failure = textsOf(fields.errors).join(' ')
          onMessage(fields)
        }
      } catch (error) {
        cause = error
      }
      input.end()
      await watched.gone()
      return endError(cause, [failure, stderr.trim()])
    },
  }
}

/** What to say when Claude Code was not ready before it ended. */
export const startError = (error: Error | undefined): AgentError => {
  const message = error?.message ?? 'It was stopped.'
  return /no conversation found/i.test(message)
    ? new AgentError('conversation-not-found', `The conversation can't be resumed. ${message}`, {
        cause: error,
      })
    : new AgentError('start-failed', `Claude Code did not start. ${message}`, { cause: error })
}

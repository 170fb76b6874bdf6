import type { EventOf } from '@berth/contract'
import { safeLine, safeText } from '../../terminal/safe-text.ts'
import { firstLine, type Lines, notes, untold } from './liner.ts'

const endings = { completed: 'is done', failed: 'failed', stopped: 'was stopped' } as const

const taskText = ({ data }: EventOf<'agent.task'>, verbose: boolean): string | undefined => {
  const name = safeLine(data.description ?? data.task)
  if (data.state === 'running') return undefined
  // How a tool's work went, its result says too.
  if (!verbose && (data.state === 'started' || data.state === 'completed')) return undefined
  if (data.state === 'started') return `In the background: ${name}`
  return `Background work ${endings[data.state]}: ${name}`
}

/** Claude Code and what belongs to it. */
export const agentLines = {
  'agent.ready': untold('the live view tells it once'),
  'agent.exited': ({ data }, { style }) =>
    style.yellow(`! Claude Code ended (${data.reason}): ${firstLine(data.message)}`),
  'agent.status': untold('it changes all the time; lists show it as the activity'),
  'agent.compacted': (_, { style }) => style.dim('  The conversation was made shorter to fit the model'),
  'agent.retrying': ({ data }, { style }) =>
    style.dim(
      `  The model is tried again (attempt ${data.attempt}${data.status == null ? '' : `, status ${data.status}`})`,
    ),
  'agent.resources': untold('`berth show` tells what it uses now'),
  'agent.mcp': ({ data }, { style, verbose }) => {
    const lines = data.servers
      .filter(({ status }) => verbose || status === 'failed' || status === 'needs-auth')
      .map(({ name, status, error, tools }) => {
        const why = error === undefined ? '' : `: ${firstLine(error)}`
        return status === 'failed' || status === 'needs-auth'
          ? style.yellow(`! MCP server ${safeLine(name)}: ${status}${why}`)
          : style.dim(`  MCP server ${safeLine(name)}: ${status}, ${tools.length} tools`)
      })
    return lines.length === 0 ? undefined : lines.join('\n')
  },
  'agent.todos': untold('the todo lines tell what is new in the list'),
  'agent.reconfigured': ({ data }, { style }) =>
    style.dim(`  The agent runs with other settings: ${safeLine(data.changed.join(', '))}`),
  'agent.task': (event, { style, verbose }) => {
    const text = taskText(event, verbose)
    return text === undefined
      ? undefined
      : style[event.data.state === 'failed' ? 'yellow' : 'dim'](`  ${text}`)
  },
  'agent.raw': untold('no event covers it, so nobody knows how to show it'),
  'conversation.rebuilt': ({ data }, { style }) =>
    style.yellow(
      `! The agent begins a new conversation, told what was said before: ${safeText(data.reason)}`,
    ),
  'runner.notice': ({ data }, { style }) => style[notes[data.level]](`  ${safeText(data.message)}`),
} satisfies Partial<Lines>

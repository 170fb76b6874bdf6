import type { AgentContent } from '../agent/live-agent.ts'

/** Whether a prompt is a slash command, which has to stand first and takes everything behind it for its arguments. */
export const isSlashCommand = ([first]: readonly AgentContent[]): boolean =>
  first?.type === 'text' && first.text.startsWith('/')

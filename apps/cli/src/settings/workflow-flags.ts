import type { AnyEvent, SessionSettings } from '@berth/contract'
import type { Command } from 'commander'
import { ExitError } from '../exit-code.ts'
import { type Outcome, trackPrompt } from '../follow/outcome.ts'
import { parseRepository } from '../repository-argument.ts'

export interface WorkflowFlags {
  workflow?: string
  workflowBranch?: string
  workflowPath?: string
}

export const addWorkflowFlags = (command: Command): Command =>
  command
    .option('-w, --workflow <location>', 'workflow: URL or path of its repository')
    .option('--workflow-branch <name>', 'branch of the workflow (default: its default branch)')
    .option('--workflow-path <path>', 'directory of the workflow in its repository')

/** The setting that the flags say. */
export const workflowOfFlags = ({
  workflow,
  workflowBranch,
  workflowPath,
}: WorkflowFlags): Pick<SessionSettings, 'workflow'> => {
  if (workflow !== undefined) {
    const { url } = parseRepository(workflow, process.cwd())
    return { workflow: { url, branch: workflowBranch, path: workflowPath } }
  }
  if (workflowBranch !== undefined || workflowPath !== undefined)
    throw new ExitError('usage', 'Name the workflow’s repository with --workflow.')
  return {}
}

/** Watches the first turn. Without a prompt of its own a session waits for its workflow's. */
export const trackFirstTurn = (prompt: string | undefined): ((event: AnyEvent) => Outcome | undefined) => {
  const track = trackPrompt(prompt)
  if (prompt !== undefined) return track
  return (event) => {
    if (event.type === 'workflow.failed')
      return { kind: 'failed', message: `The workflow can’t be used: ${event.data.message}` }
    if (event.type === 'workflow.loaded' && event.data.startupPrompt === undefined)
      return { kind: 'stopped', message: 'The workflow has no first prompt: send one.' }
    return track(event)
  }
}

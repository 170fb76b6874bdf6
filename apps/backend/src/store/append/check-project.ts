import { BerthError } from '@berth/contract'
import type { CommandKind } from '../../session/command.ts'
import type { ProjectState } from '../lifecycle-store.ts'
import { projectNotFound } from '../programs/revision.ts'

/** What makes a session work: not in a project that is archived or about to go. */
const starting: ReadonlySet<CommandKind> = new Set(['create', 'prompt', 'resume', 'restore'])

/** Whether a command depends on its project's state. */
export const needsOpenProject = (kind: CommandKind): boolean => starting.has(kind)

/** Refuses a command that depends on a project which is not open. */
export const checkOpen = (project: string, state: ProjectState | undefined): void => {
  if (state === undefined || state === 'deleting') throw projectNotFound(project)
  if (state === 'archived') throw archived(project)
}

export const archived = (project: string): BerthError =>
  new BerthError(
    'project_archived',
    `The project ${project} is archived, so nothing in it runs or changes. Take it out of the archive first.`,
  )

import { noDiff } from '../changes.ts'
import type { EventOf } from '../events/event.ts'
import { type Repository, repositoryName } from '../repository.ts'
import { platformSettings } from '../settings/settings.ts'
import { noUsage } from '../usage.ts'
import { limitsOf } from './limits.ts'
import { noSpending } from './spending.ts'
import type { SessionState } from './state.ts'
import type { SessionSummary } from './summary.ts'

/** What a summary shows of a repository before the runner has begun with it. */
export const pendingRepository = (item: Repository): SessionSummary['repositories'][number] => ({
  name: item.name ?? repositoryName(item.url),
  url: item.url,
  branch: item.branch,
  state: 'pending',
  diff: noDiff,
})

/** The state of a log that has begun. */
export const created = (event: EventOf<'session.created'>): SessionState => {
  const {
    session,
    project,
    title,
    labels,
    repositories,
    settings,
    model,
    fork,
    visibility = 'project',
  } = event.data
  const checkpoint = fork?.checkpoint
  return {
    summary: {
      id: session,
      project,
      title,
      labels,
      owner: event.actor,
      visibility,
      createdAt: event.at,
      updatedAt: event.at,
      version: 1,
      seq: event.seq,
      desired: 'running',
      status: { phase: 'pending', since: event.at, reason: 'queued' },
      activity: 'Waiting to start',
      modelSource: model,
      model: settings.model,
      repositories: repositories.map(pendingRepository),
      diff: noDiff,
      usage: noUsage,
      turns: 0,
      queue: [],
      requests: [],
      checkpoint: checkpoint && {
        number: checkpoint.number,
        turn: checkpoint.turn,
        at: event.at,
        size: checkpoint.size,
      },
      fork: fork && { project: fork.project, session: fork.session, turn: fork.turn },
      generation: 0,
      restarts: 0,
    },
    settings,
    limits: limitsOf(platformSettings),
    shares: [],
    repositories,
    spending: noSpending,
    sender: undefined,
    live: false,
    connected: false,
    ready: false,
    n: 0,
    previous: undefined,
    openBlocks: [],
    operations: [],
    conversation: fork?.conversation,
    directory: fork?.directory,
    checkpoint,
    restore: undefined,
    runtimeSteps: { steps: {}, told: 0 },
    lastEnd: undefined,
    activeAt: event.at,
    liveSince: undefined,
    ranMs: 0,
    refusals: [],
    deadlineWarned: false,
  }
}

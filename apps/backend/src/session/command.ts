import type {
  Actor,
  AgentSecret,
  Answers,
  CheckpointRef,
  EndReason,
  EventData,
  Fact,
  FailReason,
  ForkOrigin,
  OperationRequest,
  PermissionDecision,
  Repository,
  SessionLimits,
  SessionSettings,
  Share,
  StopReason,
  StoredBlock,
  Visibility,
} from '@berth/contract'
import type { KnownSecrets } from '../secrets/secrets.ts'
import type { ProjectSpending } from './budget.ts'

/**
 * What may happen to a session, as plain data: it crosses threads, and the store hands it to `decide` inside the
 * transaction that appends the outcome. `actor` always comes from the authenticated principal.
 */
export type Command =
  | {
      kind: 'create'
      actor: Actor
      session: string
      project: string
      title: string
      labels: Record<string, string>
      repositories: Repository[]
      settings: SessionSettings
      model: 'live' | 'scripted'
      prompt?: { prompt: string; content: StoredBlock[] }
      fork?: ForkOrigin
      /** Default: project. */
      visibility?: Visibility
    }
  | {
      kind: 'update'
      actor: Actor
      title?: string
      labels?: Record<string, string>
      expectedVersion: number
    }
  | { kind: 'prompt'; actor: Actor; prompt: string; content: StoredBlock[] }
  | { kind: 'withdraw'; actor: Actor; prompt: string }
  | { kind: 'interrupt'; actor: Actor }
  | { kind: 'decide'; actor: Actor; request: string; decision: PermissionDecision }
  | { kind: 'answer'; actor: Actor; request: string; answers: Answers }
  | { kind: 'stop'; actor: Actor; reason: StopReason }
  /** `limits`: those that count now, because the ones in the state may be old. `spending`: refused while a budget is spent. */
  | { kind: 'resume'; actor: Actor; limits?: SessionLimits; spending?: ProjectSpending }
  /** All that the session sets for itself from now on, with the limits that follow. */
  | {
      kind: 'set'
      actor: Actor
      settings: SessionSettings
      limits: SessionLimits
      expectedVersion: number
    }
  /** Who sees the session from now on; what is missing stays as it is. */
  | { kind: 'share'; actor: Actor; visibility?: Visibility; shares?: Share[]; expectedVersion: number }
  /** `sooner`: one that is deleted already is purged at that time, if that is earlier. */
  | { kind: 'delete'; actor: Actor; purgeAt: string; sooner?: boolean }
  | { kind: 'restore'; actor: Actor }
  | { kind: 'add-repository'; actor: Actor; repository: Repository }
  /** `seen`: the number of turns when somebody looked whether work would be lost. */
  | { kind: 'remove-repository'; actor: Actor; name: string; force: boolean; seen: number }
  | { kind: 'retry-repository'; actor: Actor; name: string }
  /** The runner is to do something with the workspace. */
  | { kind: 'operate'; actor: Actor; operation: string; request: OperationRequest }
  /** Nobody waits for the answer any more. */
  | { kind: 'cancel-operation'; actor: Actor; operation: string; message: string }
  /** A branch was pushed, and was seen at the origin; `unchanged`: it was there before. */
  | { kind: 'pushed'; actor: Actor; unchanged: boolean; data: EventData<'repository.pushed'> }
  /** What became of a push of the agent's, through the git proxy. */
  | { kind: 'git-pushed'; actor: Actor; data: EventData<'git.pushed'> }
  | { kind: 'git-refused'; actor: Actor; data: EventData<'git.refused'> }
  | { kind: 'restore-workspace'; actor: Actor; checkpoint: CheckpointRef }
  /** The reconciler is about to ask the runtime for the next generation. */
  | {
      kind: 'launch'
      actor: Actor
      runtime: string
      limits?: SessionLimits
      memoryMiB?: number
      cpus?: number
    }
  /** What the runtime goes through before the runner of `generation` begins, as it is now. */
  | {
      kind: 'steps'
      actor: Actor
      generation: number
      steps: Omit<EventData<'generation.step'>, 'generation'>[]
    }
  /** There is no room for the session's runner. */
  | ({ kind: 'wait'; actor: Actor } & EventData<'session.waits'>)
  /** What the agent of the runner that begins is given of the project's secrets. */
  | { kind: 'show-secrets'; actor: Actor; secrets: AgentSecret[] }
  /** The limits that count changed with the project's settings. */
  | { kind: 'limits'; actor: Actor; limits: SessionLimits }
  /** Stops the session if one of its limits says so by now. */
  | { kind: 'enforce'; actor: Actor }
  /** Tells people once that the deadline comes near. */
  | { kind: 'warn'; actor: Actor }
  /** A generation ended, or is fenced out because it is silent. */
  | {
      kind: 'end'
      actor: Actor
      generation: number
      reason: EndReason
      message: string
      exitCode?: number
      signal?: string
      retryAt?: string
    }
  | { kind: 'fail'; actor: Actor; reason: FailReason; message: string }
  /** A runner of `generation` posts what `source` saw: itself, or the generation before. */
  | { kind: 'facts'; actor: Actor; generation: number; source: number; facts: Fact[] }
  | { kind: 'usage'; actor: Actor; data: EventData<'model.usage'>; spending?: ProjectSpending }
  /** A runner of `generation` is about to ask the model: pauses the turn when a budget is spent. */
  | { kind: 'budget'; actor: Actor; generation: number; spending: ProjectSpending }
  | { kind: 'model-error'; actor: Actor; data: EventData<'model.error'> }
  /** A request of the agent's programs to the network was refused. */
  | { kind: 'refuse-egress'; actor: Actor; data: EventData<'egress.refused'> }

export type CommandKind = Command['kind']

/** The clock and the ids that a decision may use: arguments, so that decisions are pure. */
export interface DecideContext {
  /** ISO 8601, UTC. */
  at: string
  /** The id of the turn that this decision may start. */
  turn: string
  /** What must not be shown in the session's project. */
  secrets?: KnownSecrets
}

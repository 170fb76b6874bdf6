export {
  highestRole,
  includesRole,
  knownSubject,
  type MemberKind,
  memberKinds,
  type ProjectRole,
  projectRoles,
  type Subject,
  subject,
  userIdOf,
} from './access.ts'
export { type Actor, type Author, actor, authorOf, emailOf } from './actor.ts'
export {
  type AuditBreak,
  type AuditEntry,
  type AuditHead,
  type AuditLink,
  type AuditRecord,
  type AuditResult,
  type AuditVerification,
  auditHead,
  auditRecord,
  auditResult,
  digestedText,
  firstDigest,
  signedHead,
} from './audit.ts'
export {
  type Budget,
  type BudgetScope,
  type BudgetSetting,
  type BudgetUnit,
  budget,
  budgetOwner,
  budgetScope,
  budgetScopes,
  budgetSettings,
  budgetUnit,
  periodOf,
} from './budget.ts'
export {
  type ChangedFile,
  changedFile,
  type DiffStat,
  diffStat,
  noDiff,
  type RepositorySnapshot,
  repositorySnapshot,
} from './changes.ts'
export {
  baseKey,
  blobParts,
  type CheckpointManifest,
  type CheckpointRef,
  type CheckpointTree,
  checkpointManifest,
} from './checkpoint.ts'
export {
  type BlobRef,
  blobRef,
  type LongText,
  longText,
  type PromptBlock,
  preview,
  promptBlock,
  promptContent,
  type StoredBlock,
  storedBlock,
} from './content.ts'
export {
  BadFrame,
  type EgressAnswerHead,
  type EgressRequestHead,
  egressAnswerHead,
  egressRequestHead,
  encodeHead,
  HeadReader,
} from './egress-frame.ts'
export {
  BerthError,
  type ErrorCode,
  errorCatalogue,
  errorCodes,
  type FieldError,
  isBerthError,
  type Problem,
  problem,
  toProblem,
} from './errors.ts'
export { type EgressRefused, type EgressWhy, refusalKey } from './events/egress.ts'
export {
  type AnyEvent,
  type Event,
  type EventData,
  type EventOf,
  type EventType,
  eventSchema,
  eventTypes,
  eventVersion,
  type Fact,
  fact,
  isEventType,
  mayAppend,
  type NewEvent,
  parseEvent,
  type RunnerEventType,
  type RunnerFactBody,
  type UnknownEvent,
  wireEvent,
} from './events/event.ts'
export { type StartStep, startStep } from './events/runner.ts'
export { type ForkOrigin, labels, title } from './events/session.ts'
export {
  blockId,
  type IdKind,
  idPrefixes,
  idTime,
  idToUuid,
  keyId,
  makeId,
  operationId,
  promptId,
  requestId,
  sessionId,
  turnId,
  turnMessageUuid,
  uploadId,
} from './ids.ts'
export type { ApiKey, NewApiKey } from './key.ts'
export {
  type Desired,
  desired,
  type EndReason,
  endReason,
  type FailReason,
  failReason,
  type HoldReason,
  isHold,
  lifecycle,
  livePhases,
  nextPhase,
  type PendingReason,
  type Phase,
  phase,
  type SessionStatus,
  type Signal,
  type StopReason,
  sessionStatus,
  stopMessages,
  stopReason,
} from './lifecycle.ts'
export { limits } from './limits.ts'
export {
  type FileEntry,
  type GitState,
  type OperationError,
  type OperationRequest,
  type OperationResult,
  operationError,
  operationResult,
  workspacePath,
} from './operation.ts'
export {
  branchName,
  branchProblem,
  directoryName,
  isLocalRepository,
  type Repository,
  repository,
  repositoryName,
  repositoryProblem,
  sessionBranch,
  type WantedRepository,
} from './repository.ts'
export {
  type Answers,
  type OpenRequest,
  type PermissionDecision,
  permissionDecision,
  type Question,
  question,
} from './requests.ts'
export type { Me, ProjectAccess, Revocation, RoleSource } from './routes/access.ts'
export type { CheckpointItem, PushBody, PushResult } from './routes/checkpoints.ts'
export type { WrittenFile } from './routes/files.ts'
export {
  type GitCredentialsTest,
  gitCredentialsTest,
  type TriedGitCredential,
} from './routes/git-credentials.ts'
export { allRoutes, type RouteName, type RunnerRouteName, routes } from './routes/index.ts'
export type { ProjectMember } from './routes/members.ts'
export { type ModelProviderTest, modelProviderTest } from './routes/model-provider.ts'
export { openApiDocument } from './routes/openapi.ts'
export { permissionsOf } from './routes/permissions.ts'
export {
  type DeletionStep,
  deletionSteps,
  type Project,
  type ProjectChange,
  type ProjectDeletion,
  type ProjectSettings,
  project,
  projectChange,
  projectDeletion,
  projectSettings,
} from './routes/projects.ts'
export { type ProjectQueue, projectQueue } from './routes/queue.ts'
export {
  type BranchList,
  branchList,
  type ListedRepository,
  type SessionGit,
  sessionGit,
} from './routes/repositories.ts'
export {
  errorsOf,
  isShutByArchive,
  type RateClass,
  type Route,
  type RouteRole,
  rateClasses,
  rateOf,
  takesIdempotencyKey,
} from './routes/route.ts'
export {
  factsBody,
  heartbeatBody,
  logsBody,
  type RunnerWelcome,
  runnerRoutes,
  runnerWelcome,
} from './routes/runner.ts'
export { projectName } from './routes/schemas.ts'
export { type SessionSettingsView, sessionSettingsView } from './routes/session-settings.ts'
export {
  type CreateSession,
  createSessionBody,
  listSessionsQuery,
  promptBody,
  type SessionChanges,
  sessionChanges,
} from './routes/sessions.ts'
export { type Sharing, sharing } from './routes/sharing.ts'
export { type SignInWays, signInWays } from './routes/sign-in.ts'
export { type Diagnosis, diagnosis, type Finding, finding, type System, system } from './routes/system.ts'
export { type Upload, uploadRoutes } from './routes/uploads.ts'
export { type UsageItem, type UsageReport, usageReport } from './routes/usage.ts'
export { type LogLine, type LogSource, logSource, type StoredLogLine } from './runner-log.ts'
export {
  type AgentSecret,
  type SealingKey,
  type Secret,
  type SecretInput,
  type SecretKind,
  secret,
  secretInput,
  secretKind,
  secretName,
} from './secret.ts'
export { foldSession } from './session/fold.ts'
export type { HeldText } from './session/held-text.ts'
export { limitsOf, type SessionLimits } from './session/limits.ts'
export {
  type SessionAccess,
  type Share,
  share,
  type Visibility,
  visibility,
} from './session/sharing.ts'
export { toldOf } from './session/spending.ts'
export type { SessionState } from './session/state.ts'
export {
  type CurrentTurn,
  type QueuedPrompt,
  queuedPrompt,
  type SessionSummary,
  sessionSummary,
} from './session/summary.ts'
export {
  emptyTranscript,
  foldTranscript,
  type RequestEntry,
  type ToolEntry,
  type Transcript,
  type TranscriptEntry,
} from './session/transcript.ts'
export {
  type CustomAgent,
  type Hooks,
  hooks,
  type McpServer,
  type Skill,
  type SlashCommand,
  sessionMcpServers,
} from './settings/agent-setup.ts'
export { milliCpusOf } from './settings/cpu-cores.ts'
export { type EgressMethod, type EgressRule, egressMethod, egressRule } from './settings/egress.ts'
export {
  type GitCredential,
  gitCredential,
  gitCredentials,
  hasGitCredential,
  type PushPolicy,
  pushPolicy,
} from './settings/git.ts'
export { modelName } from './settings/model-name.ts'
export { type ModelProviderSetting, modelProvider } from './settings/model-provider.ts'
export {
  aboveMaxima,
  type OperatorSettings,
  operatorSettings,
} from './settings/operator.ts'
export { resolveSettings, type SettingOrigin } from './settings/resolve.ts'
export {
  type EffectiveSettings,
  effectiveSettings,
  imageName,
  platformSettings,
  type SessionSettings,
  type SettingName,
  type Settings,
  sessionSettings,
  settings,
} from './settings/settings.ts'
export { type WorkflowManifest, type WorkflowSource, workflowManifest } from './settings/workflow.ts'
export type { Transfer } from './transfer.ts'
export { addUsage, noUsage, tokensOf, type Usage, type UsageSum, usage, usageSum } from './usage.ts'
export { usageCsv } from './usage-csv.ts'

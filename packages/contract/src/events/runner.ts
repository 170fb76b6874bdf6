import { z } from 'zod'
import { repositorySnapshot } from '../changes.ts'
import { checkpointReason, checkpointRef } from '../checkpoint.ts'
import { longText } from '../content.ts'
import { blockId, operationId, requestId, turnId } from '../ids.ts'
import { failReason } from '../lifecycle.ts'
import { limits } from '../limits.ts'
import { operationError, operationResult } from '../operation.ts'
import { directoryName } from '../repository.ts'
import { question } from '../requests.ts'

const message = z.string().max(limits.message)
const toolUse = z.string().max(200)
const toolName = z.string().max(200)

/** The tool use in whose subagent something happened. */
const parent = toolUse.optional()

/** The steps of a start, in the order in which they usually begin. */
export const startStep = z.enum(['runner', 'sandbox', 'clone', 'restore', 'workflow', 'agent'])
export type StartStep = z.infer<typeof startStep>

/** JSON of any shape: a tool's input, or an SDK message that no event covers. */
const json = z.json()

/** What the runner sees. */
export const runnerEvents = {
  /** The runner process is up and has handed over what its predecessor left. */
  'runner.started': z.object({ version: z.string().max(50), sandbox: z.string().max(50) }),
  /** A step of the start. A failed one says what to do. */
  'start.step': z.object({
    step: startStep,
    /** What of several, e.g. the repository's name. */
    item: z.string().max(200).optional(),
    state: z.enum(['started', 'done', 'failed']),
    ms: z.number().int().nonnegative().optional(),
    message: message.optional(),
  }),
  /** The start can't succeed without a person. */
  'start.failed': z.object({ reason: failReason, message }),
  /** What the isolation self-test found. */
  'isolation.tested': z.object({
    sandbox: z.string().max(50),
    sandboxed: z.boolean(),
    ok: z.boolean(),
    probes: z
      .array(z.object({ name: z.string().max(100), ok: z.boolean(), detail: z.string().max(500) }))
      .max(50),
  }),
  'workspace.ready': z.object({
    repositories: z
      .array(
        z.object({
          name: directoryName,
          url: z.string().max(limits.url),
          /** The branch it was taken from. */
          branch: z.string().max(limits.branch),
          sessionBranch: z.string().max(limits.branch),
          base: z.string().max(64).optional(),
        }),
      )
      .max(limits.repositories),
    /** Where the agent works: a repository's directory, or empty for the workspace. It stays so. */
    directory: z.union([z.literal(''), directoryName]).optional(),
  }),
  /** How far a repository is. A failed one says what to do. */
  'repository.state': z.object({
    name: directoryName,
    state: z.enum(['cloning', 'ready', 'failed', 'removed']),
    message: message.optional(),
    url: z.string().max(limits.url).optional(),
    branch: z.string().max(limits.branch).optional(),
    sessionBranch: z.string().max(limits.branch).optional(),
    base: z.string().max(64).optional(),
    ms: z.number().int().nonnegative().optional(),
  }),
  /** Workspace and conversation are in the blob store: the session can go on from there on any machine. */
  'checkpoint.saved': checkpointRef.extend({
    reason: checkpointReason,
    ms: z.number().int().nonnegative(),
    /** What a limit left out. */
    omitted: z.string().max(1000).optional(),
  }),
  'checkpoint.failed': z.object({ reason: checkpointReason, message }),
  /** The workspace was made from a checkpoint. */
  'workspace.restored': z.object({
    checkpoint: z.number().int().positive(),
    turn: turnId.optional(),
    files: z.number().int().nonnegative(),
    ms: z.number().int().nonnegative(),
  }),
  /** A restore that a person asked for could not be done; the files are as they were. */
  'workspace.restore_failed': z.object({ checkpoint: z.number().int().positive(), message }),
  'operation.completed': z.object({ operation: operationId, result: operationResult }),
  'operation.failed': z.object({ operation: operationId, error: operationError }),
  /** Claude Code is live. */
  'agent.ready': z.object({
    version: z.string().max(50).optional(),
    model: z.string().max(200).optional(),
    tools: z.array(toolName).max(500).optional(),
    commands: z.array(z.string().max(200)).max(500).optional(),
    agents: z.array(z.string().max(200)).max(500).optional(),
    /** Claude Code's own id of the conversation, with which it is resumed. */
    conversation: z.string().max(100).optional(),
  }),
  /** Claude Code ended though the session goes on; the runner starts it again. */
  'agent.exited': z.object({
    reason: z.enum(['exited', 'crashed', 'killed', 'out-of-memory', 'time-limit']),
    message,
  }),
  /** What the agent is busy with, in words. */
  'agent.status': z.object({ status: z.string().max(200) }),
  /** The conversation was made shorter to fit the model's context. */
  'agent.compacted': z.object({
    trigger: z.string().max(50),
    tokensBefore: z.number().int().nonnegative().optional(),
  }),
  /** A request to the model failed and is tried again. */
  'agent.retrying': z.object({
    attempt: z.number().int().nonnegative(),
    maxAttempts: z.number().int().nonnegative().optional(),
    delayMs: z.number().nonnegative().optional(),
    status: z.number().int().nullable().optional(),
    message: message.optional(),
  }),
  /** What the agent and all that it started use. Told when it has changed by much, at most twice a minute. */
  'agent.resources': z.object({
    memoryBytes: z.number().int().nonnegative(),
    /** CPU time since the start of this generation. */
    cpuMs: z.number().int().nonnegative(),
    processes: z.number().int().nonnegative(),
  }),
  /** The MCP servers of the agent, told when something about them changed. */
  'agent.mcp': z.object({
    servers: z
      .array(
        z.object({
          name: z.string().max(200),
          status: z.enum(['connected', 'failed', 'needs-auth', 'pending', 'disabled']),
          error: z.string().max(1000).optional(),
          /** Where it comes from. */
          origin: z.enum(['settings', 'repository', 'workflow']).optional(),
          tools: z.array(z.object({ name: toolName, description: z.string().max(500).optional() })).max(200),
        }),
      )
      .max(100),
  }),
  /** The list of things to do that the agent keeps. */
  'agent.todos': z.object({
    turn: turnId,
    items: z
      .array(
        z.object({
          text: z.string().max(500),
          state: z.enum(['pending', 'in-progress', 'completed']),
        }),
      )
      .max(200),
  }),
  /** The agent runs with other settings: what was changed, in words. */
  'agent.reconfigured': z.object({ changed: z.array(z.string().max(100)).max(100) }),
  /** The conversation could not be gone on with as it was, and a new one begins with what the log tells of it. */
  'conversation.rebuilt': z.object({ reason: message, turns: z.number().int().nonnegative() }),
  /** A workflow was read and applies from the next start of the agent on. */
  'workflow.loaded': z.object({
    name: z.string().max(200),
    description: message.optional(),
    url: z.string().max(limits.url),
    branch: z.string().max(limits.branch).optional(),
    path: z.string().max(500).optional(),
    commit: z.string().max(64),
    startupPrompt: z.string().max(limits.instructions).optional(),
    results: z.record(z.string().max(200), z.string().max(1000)).optional(),
  }),
  /** A workflow can't be used. The session goes on without it. */
  'workflow.failed': z.object({ url: z.string().max(limits.url), message }),
  /** Background work that the agent started. */
  'agent.task': z.object({
    task: z.string().max(200),
    state: z.enum(['started', 'running', 'completed', 'failed', 'stopped']),
    description: z.string().max(1000).optional(),
    toolUse: toolUse.optional(),
  }),
  /** A message of Claude Code that no other event covers, as it is (or its beginning, when it is long). */
  'agent.raw': z.object({ kind: z.string().max(200), message: json }),
  /** A piece of what the agent says or does; fixes its place in the transcript. */
  'block.started': z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('text'), turn: turnId, block: blockId, parent }),
    z.object({ kind: z.literal('thinking'), turn: turnId, block: blockId, parent }),
    z.object({ kind: z.literal('tool_use'), turn: turnId, block: blockId, parent, toolUse, tool: toolName }),
  ]),
  /** More text of an open block; of a tool use, more of its input as JSON. `offset` is in UTF-16 units. */
  'block.delta': z.object({
    block: blockId,
    offset: z.number().int().nonnegative(),
    text: z.string().max(limits.delta),
  }),
  /** The whole block. For a tool use the text is its input as JSON. */
  'block.completed': z.object({ block: blockId }).extend(longText.shape),
  'block.aborted': z.object({ block: blockId, reason: message }),
  /** What a tool answered. */
  'tool.result': z.object({ turn: turnId, parent, toolUse, isError: z.boolean() }).extend(longText.shape),
  /** The agent asks whether it may use a tool. */
  'permission.requested': z.object({
    request: requestId,
    turn: turnId,
    toolUse: toolUse.optional(),
    tool: toolName,
    input: json,
    /** What the tool would do, in words. */
    detail: z.string().max(1000),
    /** The rule, or the default, for which a person is asked. */
    because: z.string().max(limits.permissionRule),
  }),
  /** A tool that ran or was refused by rule, without asking. */
  'permission.ruled': z.object({
    turn: turnId,
    tool: toolName,
    behavior: z.enum(['deny']),
    rule: z.string().max(limits.permissionRule),
  }),
  'question.asked': z.object({
    request: requestId,
    turn: turnId,
    toolUse: toolUse.optional(),
    questions: z.array(question).min(1).max(20),
  }),
  /** The agent gave a request up, e.g. because the turn was interrupted. */
  'request.withdrawn': z.object({ request: requestId, reason: message }),
  /** The workspace after a turn. */
  'workspace.snapshot': z.object({
    turn: turnId,
    repositories: z.array(repositorySnapshot).max(limits.repositories),
  }),
  'turn.ended': z.object({
    turn: turnId,
    attempt: z.number().int().positive(),
    result: z.enum(['success', 'error', 'interrupted', 'failed']),
    /** The agent's last words, or what went wrong. */
    message: z.string().max(limits.inlineText),
    /** Why, in a word, e.g. `max-steps`, `model`, `time-limit`, `crashed`. */
    code: z.string().max(100).optional(),
    steps: z.number().int().nonnegative().optional(),
    durationMs: z.number().int().nonnegative(),
  }),
  /** Something a person should know, e.g. that a limit left something out. */
  'runner.notice': z.object({ level: z.enum(['info', 'warning', 'error']), message }),
} as const

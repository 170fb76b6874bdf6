import { z } from 'zod'
import { repositorySnapshot } from '../changes.ts'
import { longText } from '../content.ts'
import { blockId, requestId, turnId } from '../ids.ts'
import { failReason } from '../lifecycle.ts'
import { limits } from '../limits.ts'
import { directoryName } from '../repository.ts'
import { question } from '../requests.ts'

const message = z.string().max(limits.message)
const toolUse = z.string().max(200)
const toolName = z.string().max(200)

/** The tool use in whose subagent something happened. */
const parent = toolUse.optional()

/** The steps of a start, in the order in which they usually begin. */
export const startStep = z.enum(['runner', 'sandbox', 'clone', 'agent'])
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
  }),
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
    /** Why, in a word, e.g. `max-turns`, `model`, `time-limit`, `crashed`. */
    code: z.string().max(100).optional(),
    steps: z.number().int().nonnegative().optional(),
    durationMs: z.number().int().nonnegative(),
  }),
  /** Something a person should know, e.g. that a limit left something out. */
  'runner.notice': z.object({ level: z.enum(['info', 'warning', 'error']), message }),
} as const

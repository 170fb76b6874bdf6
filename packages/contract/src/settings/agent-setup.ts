import { z } from 'zod'
import { limits } from '../limits.ts'

/** Names of custom agents, commands, skills and MCP servers. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'expected 1 to 64 letters, digits, dashes, underscores')

const named = <T extends z.ZodType>(value: T) =>
  z
    .record(name, value)
    .refine((map) => Object.keys(map).length <= limits.setupEntries, `at most ${limits.setupEntries} entries`)

const text = z.string().min(1).max(limits.setupText)
const description = z.string().trim().min(1).max(1024)
const toolNames = z.array(z.string().min(1).max(200)).max(100)

/** A subagent that Claude Code may hand work to, as a file in `.claude/agents` would define it. */
const customAgent = z.strictObject({
  /** When to use it; the model reads this. */
  description,
  /** Its system prompt. */
  prompt: text,
  /** Tools that it has. Default: all of the session's. */
  tools: toolNames.optional(),
  /** A model's name or alias. Default: the session's. */
  model: z.string().min(1).max(128).optional(),
})

export type CustomAgent = z.infer<typeof customAgent>

/** A slash command: the prompt it stands for, in Markdown, as a file in `.claude/commands` would hold it. */
const slashCommand = z.strictObject({
  description: description.optional(),
  /** What its arguments are, e.g. `[issue number]`. */
  argumentHint: z.string().max(200).optional(),
  /** `$ARGUMENTS` stands for what follows the command. */
  prompt: text,
})

export type SlashCommand = z.infer<typeof slashCommand>

const skillPath = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,4}$/, 'expected a relative path')

/** A skill: what `SKILL.md` would say, and files beside it. */
const skill = z.strictObject({
  description,
  instructions: text,
  /** By path below the skill's directory. */
  files: z
    .record(skillPath, z.string().max(limits.setupText))
    .refine((map) => Object.keys(map).length <= 50, 'at most 50 files')
    .optional(),
})

export type Skill = z.infer<typeof skill>

/** The moments at which a hook may run, in Claude Code's words. */
const hookEvent = z.enum([
  'PreToolUse',
  'PostToolUse',
  'UserPromptSubmit',
  'SessionStart',
  'SessionEnd',
  'Stop',
  'SubagentStop',
  'PreCompact',
  'Notification',
])

/** Shell commands that run inside the sandbox at a moment of the agent's work, as in Claude Code's settings. */
export const hooks = z.partialRecord(
  hookEvent,
  z
    .array(
      z.strictObject({
        /** Tools for which it runs, as a pattern. Default: every one. */
        matcher: z.string().max(500).optional(),
        hooks: z
          .array(
            z.strictObject({
              type: z.literal('command'),
              command: z.string().min(1).max(8192),
              /** Seconds. Default: Claude Code's. */
              timeout: z.number().int().min(1).max(600).optional(),
            }),
          )
          .min(1)
          .max(20),
      }),
    )
    .max(20),
)

export type Hooks = z.infer<typeof hooks>

/** Names that a setting may not give to the agent's environment: they decide how it reaches its model and its home. */
const reservedVariable =
  /^(PATH|HOME|USER|SHELL|TMPDIR|IFS|ENV|BASH_ENV|NODE_OPTIONS|LD_.*|DYLD_.*|GIT_.*|BERTH_.*|ANTHROPIC_.*|CLAUDE_.*|CLAUDECODE|DISABLE_AUTOUPDATER|HTTPS?_PROXY|NO_PROXY|ALL_PROXY)$/i

/** A variable that a project may give to the agent's environment. */
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected a variable name')
  .refine((variable) => !reservedVariable.test(variable), 'this name is reserved')

/** Plain environment variables: the agent and everything that it starts see them. No place for a secret. */
export const environmentVariables = z
  .record(
    variableName,
    z
      .string()
      .max(8192)
      .refine((value) => !value.includes('\0'), 'must not contain NUL'),
  )
  .refine((map) => Object.keys(map).length <= 100, 'at most 100 variables')

/** An MCP server that is started inside the sandbox and speaks over its standard input and output. */
const stdioMcpServer = z.strictObject({
  type: z.literal('stdio').default('stdio'),
  command: z.string().min(1).max(1024),
  args: z.array(z.string().max(4096)).max(100).default([]),
  env: environmentVariables.default({}),
})

/** An MCP server on the network. The backend calls it: nothing in the sandbox reaches the network or its headers. */
const httpMcpServer = z.strictObject({
  type: z.literal('http'),
  url: z.url({ protocol: /^https?$/ }).max(limits.url),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/), z.string().max(4096))
    .refine((map) => Object.keys(map).length <= 20, 'at most 20 headers')
    .default({}),
})

const mcpServer = z.union([httpMcpServer, stdioMcpServer])
export type McpServer = z.infer<typeof mcpServer>

/** A session brings only servers that run in its own sandbox: what the backend calls is the project's decision. */
export const sessionMcpServers = named(stdioMcpServer)
export const mcpServers = named(mcpServer)
export const customAgents = named(customAgent)
export const slashCommands = named(slashCommand)
export const skills = named(skill)
export const disabledNames = z.array(name).max(limits.setupEntries)
export const tools = toolNames

import { z } from 'zod'
import { limits } from '../limits.ts'
import {
  customAgents,
  disabledNames,
  environmentVariables,
  hooks,
  mcpServers,
  sessionMcpServers,
  skills,
  slashCommands,
  tools,
} from './agent-setup.ts'
import { projectBudgetNames, projectBudgets, sessionBudgets } from './budgets.ts'
import { cpuCores } from './cpu-cores.ts'
import { egressRules } from './egress.ts'
import { gitCredentials, pushPolicy } from './git.ts'
import { modelName } from './model-name.ts'
import { modelProvider } from './model-provider.ts'
import { projectQuotas } from './quotas.ts'
import { sharingSettings } from './sharing.ts'
import { workflowSource } from './workflow.ts'

const rules = z.array(z.string().min(1).max(limits.permissionRule)).max(limits.permissionRules)

/** The form of an image's name; what it names is known to the cluster. */
export const imageName = z
  .string()
  .regex(
    /^[a-z0-9][A-Za-z0-9._:/@-]{0,254}$/,
    'expected an image name such as registry.example.com/team/tools:1.4',
  )

/** The model and how it is asked. */
const modelSettings = {
  /** Model of new turns. */
  model: modelName.optional(),
  /** Asked while the model is overloaded. */
  fallbackModel: modelName.optional(),
  /** For small side tasks of Claude Code, such as summaries. */
  smallModel: modelName.optional(),
  /** How hard the model thinks. Default: the model's own. */
  effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).optional(),
  /** Tokens that one answer may spend on thinking; 0 turns it off. */
  thinkingTokens: z.number().int().min(0).max(128_000).optional(),
  /** Models that the gateway lets through; `*` as the last character matches any rest. Empty: any. */
  allowedModels: z.array(z.string().min(1).max(128)).max(100).optional(),
}

/** What the agent may do, and what it is given. */
const agentSettings = {
  /** Tools that run without asking, in Claude Code's rule syntax, e.g. `Bash(npm test:*)`. */
  allow: rules.optional(),
  /** Tools for which a person is asked first; counts before `allow`. */
  ask: rules.optional(),
  /** Tools that never run; counts before everything. */
  deny: rules.optional(),
  /** What happens to a tool that no rule names. */
  otherwise: z.enum(['allow', 'ask', 'deny']).optional(),
  /** `acceptEdits`: edits of files in the workspace need no answer. `plan`: the agent plans, and asks before it works. */
  permissionMode: z.enum(['default', 'acceptEdits', 'plan']).optional(),
  /** Built-in tools that the agent has. Empty: all. */
  tools: tools.optional(),
  /** Text that is added to the system prompt of every session. A session's own comes after its project's. */
  instructions: z.string().max(limits.instructions).optional(),
  agents: customAgents.optional(),
  commands: slashCommands.optional(),
  skills: skills.optional(),
  hooks: hooks.optional(),
  mcpServers: mcpServers.optional(),
  /** MCP servers that are left out though a layer below names them. */
  disabledMcpServers: disabledNames.optional(),
  env: environmentVariables.optional(),
  /** Instructions, commands and agents for a kind of work, from a git repository. */
  workflow: workflowSource.optional(),
  /** Whether a repository's `CLAUDE.md` and `.claude/` (agents, commands, skills) count. */
  repositoryConfig: z.boolean().optional(),
  /** Whether hooks of a repository's `.claude/settings.json` run. Needs `repositoryConfig`. */
  repositoryHooks: z.boolean().optional(),
  /** Whether MCP servers of a repository's `.mcp.json` are started. Needs `repositoryConfig`. */
  repositoryMcp: z.boolean().optional(),
}

/** What a session may use. */
const limitSettings = {
  /** Memory of the agent and all that it starts, in MiB. */
  memoryMiB: z.number().int().min(512).max(262_144).optional(),
  /** CPU of the agent and all that it starts, in cores; on a machine of one's own where control groups can hold it. */
  cpus: cpuCores(1024).optional(),
  /** Processes and threads that the agent may have at once. */
  processes: z.number().int().min(64).max(65_536).optional(),
  /** Image of the container in which the agent works, on a cluster: the team's tool chain. Default: the operator's. */
  image: imageName.optional(),
  /** Files and MiB of a workspace that a checkpoint saves; a larger one is refused, and said so. */
  checkpointFiles: z.number().int().min(100).max(5_000_000).optional(),
  checkpointMiB: z.number().int().min(1).max(1_048_576).optional(),
  /** Minutes after which a turn is interrupted. */
  turnMinutes: z.number().int().min(1).max(1440).optional(),
  /** Minutes that a session may run in all, without the time that it was stopped. Default: no limit. */
  deadlineMinutes: z.number().int().min(1).max(525_600).optional(),
  /** Requests to the model in one turn. Default: no limit. */
  maxSteps: z.number().int().min(1).max(10_000).optional(),
  /** Turns of a session. Default: no limit. */
  maxTurns: z.number().int().min(1).max(100_000).optional(),
  /** Minutes without work after which a session hibernates; 0: never. */
  idleMinutes: z.number().min(0).max(43_200).optional(),
  /** Stop when a turn has ended and no prompt waits. */
  stopWhenDone: z.boolean().optional(),
  ...sessionBudgets,
}

/** What a project sets for all of its sessions together. */
const projectLimits = {
  ...projectBudgets,
  ...projectQuotas,
  modelProvider: modelProvider.optional(),
  /** Sessions of the project that may live at once; more wait. Default: the platform's own limit. */
  liveSessions: z.number().int().min(1).max(100_000).optional(),
  /** Hours for which a deleted session can be restored. */
  undoHours: z.number().min(0).max(720).optional(),
}

/** What sessions reach beyond the sandbox. */
const networkSettings = {
  /** Hosts that programs of the agent may reach, through the backend. Empty: none. */
  egress: egressRules.optional(),
}

/** What protects a project's repositories. */
const gitSettings = {
  /** How git signs in at which host; the values are secrets of the project, and no session ever sees them. */
  gitCredentials: gitCredentials.optional(),
  /** What sessions may push. */
  pushPolicy: pushPolicy.optional(),
}

/**
 * What a project or session may set. Every field is optional: the session's value counts before the project's, and
 * that before the platform's.
 */
export const settings = z.strictObject({
  ...modelSettings,
  ...agentSettings,
  ...limitSettings,
  ...projectLimits,
  ...networkSettings,
  ...gitSettings,
  ...sharingSettings,
})

export type Settings = z.infer<typeof settings>
export type SettingName = keyof Settings

/** What a session may set for itself: never what protects the project, or what the backend does outside the sandbox. */
export const sessionSettings = settings
  .omit({
    allowedModels: true,
    repositoryConfig: true,
    repositoryHooks: true,
    repositoryMcp: true,
    ...projectBudgetNames,
    modelProvider: true,
    liveSessions: true,
    quotaMemoryMiB: true,
    quotaCpus: true,
    undoHours: true,
    image: true,
    egress: true,
    gitCredentials: true,
    pushPolicy: true,
    sessionVisibility: true,
    privateSessions: true,
  })
  .extend({ mcpServers: sessionMcpServers.optional() })

export type SessionSettings = z.infer<typeof sessionSettings>

/** Settings without a default: missing, they limit nothing, or leave the choice to Claude Code. */
const withoutDefault = {
  model: true,
  fallbackModel: true,
  smallModel: true,
  effort: true,
  thinkingTokens: true,
  workflow: true,
  image: true,
  deadlineMinutes: true,
  maxSteps: true,
  maxTurns: true,
  budgetUsd: true,
  budgetTokens: true,
  ...projectBudgetNames,
  modelProvider: true,
  liveSessions: true,
  quotaMemoryMiB: true,
  quotaCpus: true,
} as const

/** Every setting with its value; those without a default may be missing. */
export const effectiveSettings = settings.required().partial(withoutDefault)
export type EffectiveSettings = z.infer<typeof effectiveSettings>

/** What counts where neither session nor project says otherwise. */
export const platformSettings: EffectiveSettings = {
  allowedModels: [],
  allow: [],
  ask: [],
  deny: [],
  otherwise: 'allow',
  permissionMode: 'default',
  tools: [],
  instructions: '',
  agents: {},
  commands: {},
  skills: {},
  hooks: {},
  mcpServers: {},
  disabledMcpServers: [],
  env: {},
  repositoryConfig: true,
  repositoryHooks: false,
  repositoryMcp: false,
  memoryMiB: 4096,
  cpus: 4,
  processes: 1024,
  checkpointFiles: 200_000,
  checkpointMiB: 2048,
  turnMinutes: 60,
  idleMinutes: 30,
  stopWhenDone: false,
  budgetWarnPercent: 80,
  undoHours: 24,
  egress: [],
  gitCredentials: [],
  pushPolicy: { maxMiB: 2048, role: 'editor' },
  sessionVisibility: 'project',
  privateSessions: true,
}

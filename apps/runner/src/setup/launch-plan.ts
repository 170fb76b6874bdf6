import { posix } from 'node:path'
import type { AgentOptions, AgentSetup, McpRelay, SetupContent } from '@berth/agent'
import type { EffectiveSettings } from '@berth/contract'
import type { Layout } from '../layout.ts'
import { artifactsInstruction } from '../workspace/artifacts.ts'
import { guardedServer } from './guarded-server.ts'
import type { LoadedWorkflow } from './workflow.ts'

/** What a start of Claude Code follows from: the settings that count, and the workflow as it was read. */
export interface PlanInput {
  settings: EffectiveSettings
  workflow: LoadedWorkflow | undefined
  layout: Layout
  /** Where Claude Code works, as it sees it. */
  workspace: string
  /** Node as the agent sees it. */
  node: string
  /** A way to an MCP server on the network. */
  relay(name: string): McpRelay
}

/** How Claude Code is started next. */
export type LaunchPlan = Pick<
  AgentOptions,
  'permissions' | 'model' | 'instructions' | 'maxSteps' | 'setup'
> & {
  /** More variables for its environment. */
  variables: Record<string, string>
}

/** Whether what a workflow brings beyond words counts, as for a repository. */
const workflowHooks = ({ settings, workflow }: PlanInput) =>
  settings.repositoryConfig && settings.repositoryHooks ? (workflow?.hooks ?? {}) : {}

const workflowServers = ({ settings, workflow }: PlanInput) =>
  settings.repositoryConfig && settings.repositoryMcp ? (workflow?.mcpServers ?? {}) : {}

/** The files of the set-up directory. */
export const setupContent = (input: PlanInput): SetupContent => {
  const { settings, workspace, layout } = input
  const { commands, skills, repositoryConfig } = settings
  const more = workflowHooks(input)
  const events = new Set([...Object.keys(settings.hooks), ...Object.keys(more)]) as Set<
    keyof typeof settings.hooks
  >
  const hooks = Object.fromEntries(
    [...events].map((event) => [event, [...(settings.hooks[event] ?? []), ...(more[event] ?? [])]]),
  )
  return {
    commands,
    skills,
    hooks,
    excludedMemory: repositoryConfig
      ? []
      : [...new Set([workspace, layout.inside.workspace])].map((path) => `${path}/**`),
  }
}

/** A smaller model takes the side tasks: under each name by which Claude Code has asked for one. */
const smallModelVariables = (model: string | undefined): Record<string, string> =>
  model === undefined ? {} : { ANTHROPIC_SMALL_FAST_MODEL: model, ANTHROPIC_DEFAULT_HAIKU_MODEL: model }

const serversOf = (
  input: PlanInput,
): Pick<AgentSetup, 'mcpServers' | 'relayedMcpServers' | 'workflowMcpServers' | 'disabledMcpServers'> => {
  const { settings, node, layout, relay } = input
  const all = Object.entries({ ...workflowServers(input), ...settings.mcpServers })
  const off = new Set(settings.disabledMcpServers)
  const on = all.filter(([name]) => !off.has(name))
  const guard = posix.join(layout.inside.setup, guardFile)
  return {
    mcpServers: Object.fromEntries(
      on.flatMap(([name, server]) =>
        server.type === 'stdio' ? [[name, guardedServer(server, { node, guard })]] : [],
      ),
    ),
    relayedMcpServers: Object.fromEntries(
      on.flatMap(([name, server]) => (server.type === 'http' ? [[name, relay(name)]] : [])),
    ),
    workflowMcpServers: Object.keys(workflowServers(input)).filter(
      (name) => !Object.hasOwn(settings.mcpServers, name),
    ),
    disabledMcpServers: all.flatMap(([name]) => (off.has(name) ? [name] : [])),
  }
}

/** The guard of MCP servers, in the set-up directory. */
export const guardFile = 'mcp-guard.mjs'

/** What the settings and the workflow mean for the next start of Claude Code. */
export const planLaunch = (input: PlanInput): LaunchPlan => {
  const { settings, workflow, layout } = input
  const { model, allow, ask, deny, otherwise, permissionMode, maxSteps, tools, effort, fallbackModel } =
    settings
  const { repositoryConfig: config, repositoryHooks: hooks, repositoryMcp: mcp, thinkingTokens } = settings
  const instructions = [
    settings.instructions,
    workflow?.manifest.systemPrompt ?? '',
    artifactsInstruction(layout),
  ].filter((text) => text !== '')
  return {
    model,
    maxSteps,
    instructions: instructions.join('\n\n'),
    permissions: { allow, ask, deny, otherwise, acceptEdits: permissionMode === 'acceptEdits' },
    variables: { ...settings.env, ...smallModelVariables(settings.smallModel) },
    setup: {
      directory: layout.inside.setup,
      added: workflow === undefined ? [] : [layout.inside.workflow],
      repository: { config, hooks, mcp },
      agents: settings.agents,
      tools,
      permissionMode,
      fallbackModel,
      effort,
      thinkingTokens,
      ...serversOf(input),
    },
  }
}

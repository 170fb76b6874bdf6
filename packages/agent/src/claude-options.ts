import { randomUUID } from 'node:crypto'
import type { CanUseTool, HookCallback, Options } from '@anthropic-ai/claude-agent-sdk'
import type { AgentOptions } from './agent.ts'
import { AgentError } from './agent-error.ts'
import { claudeExecutable } from './executable.ts'
import { fieldsOf } from './fields.ts'
import type { GateRuling, PermissionGate } from './permission-gate.ts'
import { parseRule } from './rules/parse-rule.ts'
import type { PermissionRules } from './rules/rule-for.ts'
import { closedSurfaces, setupOptions } from './setup/setup-options.ts'

/** How long a hook may wait for a person, in seconds: a week. */
const hookTimeout = 7 * 24 * 3600

const question = 'AskUserQuestion'

/**
 * Rules on every tool use before Claude Code does. A hook, because hooks come before Claude Code's own rules and read-only
 * exceptions, and because a repository's `PermissionRequest` hook could answer what `canUseTool` asks.
 */
const beforeTool =
  (gate: PermissionGate): HookCallback =>
  async (input, id, { signal }) => {
    if (input.hook_event_name !== 'PreToolUse') return {}
    const use = {
      tool: input.tool_name,
      input: fieldsOf(input.tool_input),
      id: id ?? input.tool_use_id,
      signal,
    }
    gate.planning = input.permission_mode === 'plan'
    // While it plans, Claude Code knows best what changes nothing; what does, it brings to `canUseTool`.
    if (gate.leavesToPlan(use)) return {}
    const ruling = await gate.rule(use)
    // A question that may be asked goes on to `canUseTool`, which has the answers for it.
    if (ruling.behavior === 'allow' && use.tool === question) return {}
    return {
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: ruling.behavior,
        permissionDecisionReason: ruling.behavior === 'deny' ? ruling.message : 'allowed by the session',
      },
    }
  }

const toResult = (ruling: GateRuling) =>
  ruling.behavior === 'allow' ? { behavior: 'allow' as const, updatedInput: ruling.input } : ruling

/** What Claude Code still asks after the hook: questions, and its own cautions, which get the hook's answer. */
const canUseTool =
  (gate: PermissionGate): CanUseTool =>
  async (tool, input, { signal, toolUseID }) => {
    const use = { tool, input, id: toolUseID, signal }
    return toResult(await (tool === question ? gate.ask(use) : gate.rule(use)))
  }

/** @throws {AgentError} `bad-rule` for a rule that can't be read: a forgotten `deny` would be worse than no start. */
export const checkRules = ({ allow, ask, deny }: PermissionRules): void => {
  const bad = [...allow, ...ask, ...deny].find((rule) => parseRule(rule) === undefined)
  if (bad === undefined) return
  throw new AgentError(
    'bad-rule',
    `The permission rule ${JSON.stringify(bad)} can't be read. Write it as Tool or Tool(spec), e.g. Bash(npm test:*).`,
  )
}

/** The SDK's options for an agent, and the id of its conversation. */
export const claudeOptions = (
  options: AgentOptions,
  parts: { gate: PermissionGate; spawn: NonNullable<Options['spawnClaudeCodeProcess']> },
): { options: Options; conversation: string } => {
  const { workspace, env, permissions, instructions, model, maxSteps, setup = {} } = options
  const conversation = options.conversation ?? randomUUID()
  const claude: Options = {
    cwd: workspace,
    env,
    model,
    maxTurns: maxSteps,
    ...(options.conversation === undefined ? { sessionId: conversation } : { resume: conversation }),
    // Not recorded with the conversation: instructions may change while it goes on.
    systemPrompt: { type: 'preset', preset: 'claude_code', append: instructions, snapshot: false },
    // Permission rules of a repository don't count: only ours do.
    managedSettings: {
      strictPluginOnlyCustomization: closedSurfaces(setup),
      allowManagedPermissionRulesOnly: true,
      permissions: {
        deny: [...permissions.deny],
        ask: [...permissions.ask],
        disableBypassPermissionsMode: 'disable',
        // It asks a server of its own whether a use is harmless; here people and rules decide.
        disableAutoMode: 'disable',
      },
    },
    permissionMode: 'default',
    ...setupOptions(workspace, setup),
    canUseTool: canUseTool(parts.gate),
    hooks: { PreToolUse: [{ timeout: hookTimeout, onFailure: 'block', hooks: [beforeTool(parts.gate)] }] },
    includePartialMessages: true,
    forwardSubagentText: true,
    pathToClaudeCodeExecutable: options.executable ?? claudeExecutable(),
    spawnClaudeCodeProcess: parts.spawn,
  }
  return { options: claude, conversation }
}

import { allowsBash, concernsBash } from './bash-rule.ts'
import { canonicalTool, parseRule, type Rule } from './parse-rule.ts'
import { fitsPath, isInside, type Places } from './path-rule.ts'
import { decisionTools, editTools, harmlessTools, pathOf, readTools } from './tools.ts'
import { fitsWildcard } from './wildcard.ts'

/** What the agent may do, as rules in Claude Code's syntax. `deny` counts before `ask`, `ask` before `allow`. */
export interface PermissionRules {
  allow: readonly string[]
  ask: readonly string[]
  deny: readonly string[]
  /** What happens to a tool that no rule names. */
  otherwise: 'allow' | 'ask' | 'deny'
  /** With `otherwise: 'ask'`, edits of files inside the working directory are not asked about. Default: they are. */
  acceptEdits?: boolean
}

export interface Ruling {
  behavior: 'allow' | 'ask' | 'deny'
  /** The rule, or the default, that decided. */
  rule: string
}

interface ToolCall {
  tool: string
  input: Record<string, unknown>
  places: Places
}

/** Whether a rule's name stands for the tool: itself, its family, an MCP server, or a wildcard. */
const namesTool = (rule: Rule, tool: string): boolean => {
  if (fitsWildcard(rule.tool, tool)) return true
  if (rule.tool === 'Edit') return editTools.has(tool)
  if (rule.tool === 'Read') return rule.spec !== undefined && readTools.has(tool)
  return /^mcp__[^_](?:(?!__).)*$/.test(rule.tool) && tool.startsWith(`${rule.tool}__`)
}

const textOf = (input: Record<string, unknown>, field: string): string => {
  const value = input[field]
  return typeof value === 'string' ? value : ''
}

const fitsDomain = (spec: string, url: string, sure: boolean): boolean => {
  if (!spec.startsWith('domain:')) return spec === url
  const domain = spec.slice('domain:'.length).toLowerCase()
  if (!URL.canParse(url)) return !sure
  const host = new URL(url).hostname.toLowerCase().replace(/\.$/, '')
  return fitsWildcard(domain, host) || (!sure && host.endsWith(`.${domain}`))
}

/**
 * Whether a spec fits the call. `sure`: for a rule that allows; a doubtful case then fits not, and otherwise it does.
 */
const fitsSpec = (spec: string, { tool, input, places }: ToolCall, sure: boolean): boolean => {
  if (tool === 'Bash') {
    const command = textOf(input, 'command')
    return sure ? allowsBash([spec], command) !== undefined : concernsBash(spec, command)
  }
  if (readTools.has(tool) || editTools.has(tool)) return fitsPath(spec, pathOf(input), places)
  if (tool === 'WebFetch') return fitsDomain(spec, textOf(input, 'url'), sure)
  if (tool === 'Agent') return fitsWildcard(spec, textOf(input, 'subagent_type') || 'general-purpose')
  if (tool === 'Skill') {
    const skill = textOf(input, 'skill') || textOf(input, 'command')
    return spec.endsWith(':*') ? skill.startsWith(spec.slice(0, -2)) : fitsWildcard(spec, skill)
  }
  return !sure
}

const concerning = (texts: readonly string[], call: ToolCall): string | undefined =>
  texts.find((text) => {
    const rule = parseRule(text)
    if (rule === undefined || !namesTool(rule, call.tool)) return false
    return rule.spec === undefined || fitsSpec(rule.spec, call, false)
  })

const allowing = (texts: readonly string[], call: ToolCall): string | undefined => {
  const rules = texts.flatMap((text) => parseRule(text) ?? []).filter((rule) => namesTool(rule, call.tool))
  const single = rules.find((rule) => rule.spec === undefined || fitsSpec(rule.spec, call, true))
  if (single !== undefined || call.tool !== 'Bash') return single?.text
  const specs = rules.flatMap((rule) => rule.spec ?? [])
  const together = allowsBash(specs, textOf(call.input, 'command'))
  return rules.find((rule) => together !== undefined && rule.spec === together)?.text
}

const byDefault = (
  { otherwise, acceptEdits = false }: PermissionRules,
  { tool, input, places }: ToolCall,
): Ruling => {
  if (harmlessTools.has(tool)) return { behavior: 'allow', rule: 'changes nothing' }
  if (otherwise === 'deny') return { behavior: 'deny', rule: 'no rule allows it' }
  if (decisionTools.has(tool)) return { behavior: 'ask', rule: 'a person decides about plans' }
  if (otherwise === 'ask' && readTools.has(tool) && isInside(pathOf(input), places))
    return { behavior: 'allow', rule: 'reads in the workspace' }
  if (otherwise === 'ask' && acceptEdits && editTools.has(tool) && isInside(pathOf(input), places))
    return { behavior: 'allow', rule: 'edits in the workspace are accepted' }
  return { behavior: otherwise, rule: `no rule names it: ${otherwise}` }
}

/**
 * What the rules say about one use of a tool: the first rule that fits, `deny` before `ask` before `allow`, else
 * `otherwise`. With `otherwise: 'ask'`, reading inside `cwd` and bookkeeping are not asked about; a plan always is. A rule
 * whose spec has no meaning for its tool forbids or asks, but never allows. Pure; the file system isn't looked at.
 */
export const ruleFor = (
  rules: PermissionRules,
  call: { tool: string; input: Record<string, unknown> },
  places: Places,
): Ruling => {
  const use: ToolCall = { tool: canonicalTool(call.tool), input: call.input, places }
  const denied = concerning(rules.deny, use)
  if (denied !== undefined) return { behavior: 'deny', rule: denied }
  const asked = concerning(rules.ask, use)
  if (asked !== undefined) return { behavior: 'ask', rule: asked }
  const allowed = allowing(rules.allow, use)
  if (allowed !== undefined) return { behavior: 'allow', rule: allowed }
  return byDefault(rules, use)
}

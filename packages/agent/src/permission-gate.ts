import { type Answers, limits, type PermissionDecision } from '@berth/contract'
import { boundedJson, clip } from './bounds.ts'
import type { Emit } from './fact.ts'
import type { Fields } from './fields.ts'
import { createOpenRequests } from './open-requests.ts'
import { answeredInput, questionsOf } from './questions.ts'
import { canonicalTool } from './rules/parse-rule.ts'
import type { Places } from './rules/path-rule.ts'
import { type PermissionRules, type Ruling, ruleFor } from './rules/rule-for.ts'
import { decisionTools, harmlessTools, readTools } from './rules/tools.ts'
import { createRulings } from './rulings.ts'
import { describeTool } from './tool-words.ts'

/** One use of a tool that the agent is about to make. */
export interface ToolUse {
  tool: string
  input: Fields
  id: string
  /** Aborted when the agent gives the use up. */
  signal: AbortSignal
}

export type GateRuling = { behavior: 'allow'; input: Fields } | { behavior: 'deny'; message: string }

export interface PermissionGate {
  /**
   * Rules on a use of a tool; may wait for a person. Asked again about the same use it answers the same, unless the input
   * has changed to one that a rule forbids.
   */
  rule(use: ToolUse): Promise<GateRuling>
  /** Claude Code plans now: what would change something needs a person's answer. */
  planning: boolean
  /** Whether Claude Code itself is to say first if a use would change something. */
  leavesToPlan(use: ToolUse): boolean
  /** Asks a person the questions of an `AskUserQuestion`. */
  ask(use: ToolUse): Promise<GateRuling>
  /** False when the request is not (any more) open. */
  decide(request: string, decision: PermissionDecision): boolean
  answer(request: string, answers: Answers): boolean
  /** Forgets what was allowed for the turn. */
  turnEnded(): void
  withdrawAll(reason: string): void
  /** Tool uses that this gate has ruled on. */
  ruled: Set<string>
}

export interface PermissionGateOptions {
  rules: PermissionRules
  places: Places
  emit: Emit
  newId: () => string
  /** The turn to which a request belongs. */
  turn: () => string | undefined
  interrupt: () => void
}

/** What a decision for a turn or session covers: for Bash the exact command, else the tool. */
const grantKey = ({ tool, input }: ToolUse): string => {
  const name = canonicalTool(tool)
  return name === 'Bash' ? `Bash ${String(input.command)}` : name
}

const withdrawn: GateRuling = {
  behavior: 'deny',
  message: 'Nobody can answer this now. Do not use the tool; go on without it or end your turn.',
}

/** Makes the gate through which every use of a tool goes. */
export const createPermissionGate = (options: PermissionGateOptions): PermissionGate => {
  const { rules, places, emit, newId, turn, interrupt } = options
  const permissions = createOpenRequests<PermissionDecision>({ emit, newId })
  const questions = createOpenRequests<Answers>({ emit, newId })
  const rulings = createRulings()
  const grants = { turn: new Set<string>(), session: new Set<string>() }

  const refuse = (inTurn: string, tool: string, rule: string): GateRuling => {
    const named = clip(rule, limits.permissionRule)
    emit({
      type: 'permission.ruled',
      data: { turn: inTurn, tool: clip(tool, 200), behavior: 'deny', rule: named },
    })
    const message = `This session may not use ${tool} so (${named}). Do not try to reach the same in another way; go on without it, or say what you need it for.`
    return { behavior: 'deny', message }
  }

  const apply = (use: ToolUse, decision: PermissionDecision): GateRuling => {
    if (decision.behavior === 'allow') {
      if (decision.scope !== 'once') grants[decision.scope].add(grantKey(use))
      return { behavior: 'allow', input: use.input }
    }
    if (decision.interrupt) interrupt()
    const said = decision.message === undefined ? '' : ` They said: ${decision.message}`
    return { behavior: 'deny', message: `A person refused this.${said}` }
  }

  const request = async (use: ToolUse, inTurn: string, because: string): Promise<GateRuling> => {
    if (grants.turn.has(grantKey(use)) || grants.session.has(grantKey(use)))
      return { behavior: 'allow', input: use.input }
    const decision = await permissions.ask((id) => {
      emit({
        type: 'permission.requested',
        data: {
          request: id,
          turn: inTurn,
          toolUse: clip(use.id, 200),
          tool: clip(use.tool, 200),
          input: boundedJson(use.input),
          detail: describeTool(use.tool, use.input, places.cwd).would,
          because: clip(because, limits.permissionRule),
        },
      })
    }, use.signal)
    return decision === undefined ? withdrawn : apply(use, decision)
  }

  const ruleNow = (use: ToolUse): Ruling => {
    const ruling = ruleFor(rules, use, places)
    const ends = [decisionTools, harmlessTools, readTools].some((tools) => tools.has(canonicalTool(use.tool)))
    if (!gate.planning || ruling.behavior !== 'allow' || ends) return ruling
    return { behavior: 'ask', rule: 'plan mode: it would change something before its plan is approved' }
  }

  const decideUse = async (use: ToolUse): Promise<GateRuling> => {
    const inTurn = turn()
    if (inTurn === undefined) return withdrawn
    const { behavior, rule } = ruleNow(use)
    if (behavior === 'deny') return refuse(inTurn, use.tool, rule)
    return behavior === 'ask' ? request(use, inTurn, rule) : { behavior, input: use.input }
  }

  const gate: PermissionGate = {
    ruled: rulings.ruled,
    planning: false,
    leavesToPlan: (use) =>
      gate.planning && ruleFor(rules, use, places).behavior === 'allow' && ruleNow(use).behavior === 'ask',
    rule(use) {
      const before = rulings.before(use)
      if (before !== undefined && ruleFor(rules, use, places).behavior !== 'deny') return before
      const ruling = decideUse(use)
      rulings.remember(use, ruling)
      return ruling
    },
    async ask(use) {
      const inTurn = turn()
      const asked = questionsOf(use.input)
      if (inTurn === undefined || asked.length === 0) return withdrawn
      const answers = await questions.ask((id) => {
        emit({
          type: 'question.asked',
          data: { request: id, turn: inTurn, toolUse: clip(use.id, 200), questions: asked },
        })
      }, use.signal)
      if (answers === undefined) return withdrawn
      return { behavior: 'allow', input: answeredInput(use.input, answers) }
    },
    decide: (id, decision) => permissions.answer(id, decision),
    answer: (id, answers) => questions.answer(id, answers),
    turnEnded: () => grants.turn.clear(),
    withdrawAll(reason) {
      permissions.withdrawAll(reason)
      questions.withdrawAll(reason)
    },
  }
  return gate
}

import { hash } from 'node:crypto'
import { limits } from './limits.ts'
import type { MessagesRequest, RequestMessage } from './messages-request.ts'
import { genuinePrompt, isContinuation, withoutReminders } from './prompt-text.ts'

/** What a tool gave back in the current turn. */
export interface ToolResult {
  text: string
  isError: boolean
}

/** A request as scenarios see it. Everything is derived from the request, so a restart changes nothing. */
export interface Conversation {
  model: string
  /** System prompt, with the system messages inside the conversation. */
  system: string
  /** Text of the last prompt that a person wrote. */
  prompt: string
  /** How many such prompts there are; at least 1. */
  turn: number
  /** Answers given since that prompt. */
  answered: number
  /** Tool results since that prompt, oldest first. */
  results: ToolResult[]
  tools: ReadonlySet<string>
  /** The working directory that Claude Code told the model, or empty. */
  cwd: string
  /** The same for all requests of one session. */
  key: string
}

interface Call {
  name: string
  /** Place among all calls: results are kept in the order of the calls, not in that of their ends. */
  order: number
}

interface Turn {
  prompt: string
  turn: number
  answered: number
  results: (ToolResult & { order: number })[]
}

function readUserMessage(
  state: Turn,
  content: RequestMessage['content'],
  calls: ReadonlyMap<string, Call>,
): void {
  let fromSkill = false
  for (const block of content) {
    if (block.type === 'tool_result') {
      const call = calls.get(block.id)
      fromSkill ||= call?.name === 'Skill'
      const order = call?.order ?? calls.size
      state.results.push({ text: withoutReminders(block.text), isError: block.isError, order })
    }
    // Text beside the result of a skill is the skill's, not a person's.
    const prompt = block.type === 'text' && !fromSkill ? genuinePrompt(block.text) : undefined
    if (prompt === undefined || (state.turn > 0 && isContinuation(prompt))) continue
    const next = {
      prompt: prompt.slice(0, limits.matchedChars),
      turn: state.turn + 1,
      answered: 0,
      results: [],
    }
    Object.assign(state, next)
  }
}

/** Claude Code's own answer between an interrupt and what is said next: no model gave it. */
const isFiller = (content: RequestMessage['content']): boolean =>
  content.every((block) => block.type === 'text' && block.text.trim() === 'No response requested.')

function lastTurn(messages: readonly RequestMessage[]): Turn {
  const state: Turn = { prompt: '', turn: 0, answered: 0, results: [] }
  const calls = new Map<string, Call>()
  let previous = ''
  for (const { role, content } of messages) {
    if (role === 'system') continue
    if (role === 'user') readUserMessage(state, content, calls)
    else if (previous !== 'assistant' && !isFiller(content)) state.answered += 1
    for (const block of role === 'assistant' ? content : []) {
      if (block.type === 'tool_use') calls.set(block.id, { name: block.name, order: calls.size })
    }
    previous = role
  }
  return { ...state, results: state.results.toSorted((a, b) => a.order - b.order) }
}

/** Claude Code's own words: system prompt, system messages, reminders; never tool results. */
function systemText(request: MessagesRequest): string {
  const inside = request.messages
    .filter((message) => message.role === 'system')
    .flatMap((message) => message.content.flatMap((block) => (block.type === 'text' ? [block.text] : [])))
  return [request.system, ...inside].join('\n')
}

function findCwd(request: MessagesRequest, system: string): string {
  const first = request.messages.find((message) => message.role === 'user')?.content ?? []
  const reminders = first.flatMap((block) =>
    block.type === 'text' && block.text.includes('<system-reminder>') ? [block.text] : [],
  )
  const told = [...`${system}\n${reminders.join('\n')}`.matchAll(/working directory(?: is)?: *(\S[^\n]*)/gi)]
  return told.at(-1)?.[1]?.trim() ?? ''
}

/** Claude Code packs its session id into `metadata.user_id` as JSON. */
function sessionId(userId: string): string {
  try {
    const parsed: unknown = JSON.parse(userId)
    if (typeof parsed === 'object' && parsed !== null && 'session_id' in parsed)
      return String(parsed.session_id)
  } catch {
    // An older or another client: the whole text stands for the session.
  }
  return userId
}

function conversationKey(request: MessagesRequest): string {
  if (request.userId !== undefined) return sessionId(request.userId).slice(0, 200)
  const first = request.messages.find((message) => message.role === 'user')
  return hash('sha1', JSON.stringify(first?.content ?? ''))
}

/** Reads a request as a conversation. */
export function readConversation(request: MessagesRequest): Conversation {
  const turn = lastTurn(request.messages)
  const system = systemText(request)
  return {
    ...turn,
    turn: Math.max(turn.turn, 1),
    model: request.model,
    system,
    tools: new Set(request.tools),
    cwd: findCwd(request, system),
    key: conversationKey(request),
  }
}

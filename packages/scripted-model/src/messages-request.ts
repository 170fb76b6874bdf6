/** The parts of a Messages API request that the scripted model reads; all else is left alone. */
export interface MessagesRequest {
  model: string
  maxTokens: number
  stream: boolean
  thinking: boolean
  messages: RequestMessage[]
  /** Size of the last message as JSON. */
  lastMessageChars: number
  /** All system blocks, joined. */
  system: string
  tools: string[]
  /** `metadata.user_id`, as sent. */
  userId: string | undefined
  /** The JSON schema of a structured answer, when one is demanded. */
  outputSchema: unknown
}

export interface RequestMessage {
  role: 'user' | 'assistant' | 'system'
  content: RequestBlock[]
}

export type RequestBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string }
  | { type: 'tool_result'; id: string; text: string; isError: boolean }
  | { type: 'other' }

/** A request that the real API would refuse with 400; the message says why. */
export class InvalidRequest extends Error {}

type Fields = Record<string, unknown>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The text of a string or of a list of text blocks. */
function plainText(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  return value
    .flatMap((part) => (isFields(part) && typeof part.text === 'string' ? [part.text] : []))
    .join('\n')
}

function readBlock(value: unknown): RequestBlock {
  if (!isFields(value)) return { type: 'other' }
  if (value.type === 'text') return { type: 'text', text: text(value.text) }
  if (value.type === 'tool_use') return { type: 'tool_use', id: text(value.id), name: text(value.name) }
  if (value.type === 'tool_result') {
    return {
      type: 'tool_result',
      id: text(value.tool_use_id),
      text: plainText(value.content),
      isError: value.is_error === true,
    }
  }
  return { type: 'other' }
}

function readMessage(value: unknown, index: number): RequestMessage {
  const role = isFields(value) ? value.role : undefined
  if (!isFields(value) || (role !== 'user' && role !== 'assistant' && role !== 'system')) {
    throw new InvalidRequest(`messages.${index}.role: Input should be 'user', 'assistant' or 'system'`)
  }
  if (typeof value.content === 'string') return { role, content: [{ type: 'text', text: value.content }] }
  if (!Array.isArray(value.content)) {
    throw new InvalidRequest(`messages.${index}.content: Input should be a string or a list of blocks`)
  }
  return { role, content: value.content.map(readBlock) }
}

function readMessages(value: unknown): RequestMessage[] {
  if (!Array.isArray(value)) throw new InvalidRequest('messages: Field required')
  if (value.length === 0) throw new InvalidRequest('messages: at least one message is required')
  const messages = value.map(readMessage)
  checkToolPairs(messages)
  return messages
}

/** The API refuses a tool call whose result isn't in the next message: the usual sign of a broken resume. */
function checkToolPairs(messages: readonly RequestMessage[]): void {
  const spoken = messages
    .map((message, index) => ({ ...message, index }))
    .filter(({ role }) => role !== 'system')
  for (const [position, message] of spoken.entries()) {
    if (message.role !== 'assistant') continue
    const asked = message.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))
    if (asked.length === 0) continue
    const answers = spoken[position + 1]?.content ?? []
    const answered = new Set(answers.flatMap((block) => (block.type === 'tool_result' ? [block.id] : [])))
    const open = asked.filter((id) => !answered.has(id))
    if (open.length > 0) {
      throw new InvalidRequest(
        `messages.${message.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      )
    }
  }
}

function outputSchema(body: Fields): unknown {
  const config = isFields(body.output_config) ? body.output_config.format : undefined
  const format = config ?? body.output_format
  return isFields(format) && format.type === 'json_schema' ? format.schema : undefined
}

function readTools(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((tool) => (isFields(tool) && typeof tool.name === 'string' ? [tool.name] : []))
}

/**
 * Reads a parsed body. `counting` is for token counting, which needs no `max_tokens`.
 * @throws {InvalidRequest} where the real API would answer 400.
 */
export function readMessagesRequest(body: unknown, options: { counting?: boolean } = {}): MessagesRequest {
  if (!isFields(body)) throw new InvalidRequest('The body must be a JSON object')
  if (typeof body.model !== 'string' || body.model === '') throw new InvalidRequest('model: Field required')
  const maxTokens = options.counting ? 1 : body.max_tokens
  if (typeof maxTokens !== 'number') throw new InvalidRequest('max_tokens: Field required')
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new InvalidRequest('max_tokens: Input should be greater than or equal to 1')
  }
  const thinking = isFields(body.thinking) ? body.thinking.type : undefined
  return {
    model: body.model,
    maxTokens,
    stream: body.stream === true,
    thinking: thinking === 'enabled' || thinking === 'adaptive',
    messages: readMessages(body.messages),
    lastMessageChars: Array.isArray(body.messages) ? JSON.stringify(body.messages.at(-1)).length : 0,
    system: plainText(body.system),
    tools: readTools(body.tools),
    userId:
      isFields(body.metadata) && typeof body.metadata.user_id === 'string'
        ? body.metadata.user_id
        : undefined,
    outputSchema: outputSchema(body),
  }
}

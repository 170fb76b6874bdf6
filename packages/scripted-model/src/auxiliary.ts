import type { Conversation } from './conversation.ts'
import type { MessagesRequest } from './messages-request.ts'

type Fields = Record<string, unknown>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The smallest value that fits the usual JSON schemas; nesting beyond `depth` becomes null. */
export function sampleOf(schema: unknown, title: string, depth = 20): unknown {
  if (!isFields(schema) || depth === 0) return null
  if ('const' in schema) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const alternatives = schema.anyOf ?? schema.oneOf
  if (Array.isArray(alternatives)) return sampleOf(alternatives[0], title, depth - 1)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'string') return title
  if (type === 'boolean') return false
  if (type === 'number' || type === 'integer') return typeof schema.minimum === 'number' ? schema.minimum : 0
  if (type === 'array') {
    const count = typeof schema.minItems === 'number' ? Math.min(schema.minItems, 100) : 0
    return Array.from({ length: count }, () => sampleOf(schema.items, title, depth - 1))
  }
  if (!isFields(schema.properties)) return type === 'object' ? {} : null
  const entries = Object.entries(schema.properties).slice(0, 200)
  return Object.fromEntries(entries.map(([name, property]) => [name, sampleOf(property, title, depth - 1)]))
}

/**
 * The answer to a request that Claude Code makes for itself, beside the conversation: start-up probes,
 * titles, summaries. Undefined for everything that a person may have asked.
 */
export function auxiliaryAnswer(request: MessagesRequest, conversation: Conversation): string | undefined {
  if (request.maxTokens === 1) return 'ok'
  if (conversation.prompt.includes('create a detailed summary of the conversation')) {
    return '<summary>A conversation with the scripted model; nothing in it needs to be remembered.</summary>'
  }
  const ownRequest = request.tools.length === 0 && request.system.startsWith('x-anthropic-billing-header')
  if (!ownRequest) return undefined
  if (request.outputSchema !== undefined)
    return JSON.stringify(sampleOf(request.outputSchema, 'Scripted session'))
  return /\btitle\b/i.test(request.system) ? '{"title": "Scripted session"}' : undefined
}

import type { UUID } from 'node:crypto'
import type { SDKUserMessage } from '@anthropic-ai/claude-agent-sdk'
import type { PromptInput, TurnStart } from './agent.ts'

const asText = (block: Exclude<PromptInput, { type: 'image' }>): string =>
  block.type === 'text' ? block.text : `The file ${JSON.stringify(block.name)} is at ${block.path}.`

const contentOf = (content: PromptInput[]): SDKUserMessage['message']['content'] => {
  const texts = content.flatMap((block) => (block.type === 'image' ? [] : [asText(block)]))
  // A plain string, so that slash commands are taken as such.
  if (texts.length === content.length) return texts.join('\n\n')
  return content.map((block) =>
    block.type === 'image'
      ? { type: 'image', source: { type: 'base64', media_type: block.mediaType, data: block.data } }
      : { type: 'text', text: asText(block) },
  )
}

/** The message that carries a turn to Claude Code. */
export const userMessage = ({ uuid, content }: TurnStart): SDKUserMessage => ({
  type: 'user',
  uuid: uuid as UUID,
  parent_tool_use_id: null,
  message: { role: 'user', content: contentOf(content) },
})

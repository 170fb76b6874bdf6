import { clip, maxTextLength } from '../bounds.ts'
import { type Fields, fieldsOf, listOf, optionalText, textOf } from '../fields.ts'
import { type MessageContext, partsOf } from './context.ts'

const partText = (part: Fields): string => {
  if (part.type === 'text') return textOf(part.text)
  if (part.type === 'image') return `[image ${textOf(fieldsOf(part.source).media_type) || 'of unknown type'}]`
  if (part.type === 'tool_reference') return `[tool ${textOf(part.tool_name)}]`
  return `[${textOf(part.type) || 'content'}]`
}

/** What a tool answered, as text; other content is named in brackets. */
const toolResultText = (content: unknown): string => {
  const text =
    typeof content === 'string'
      ? content
      : listOf(content)
          .map((part) => partText(fieldsOf(part)))
          .join('\n')
  return clip(text, maxTextLength)
}

/** Reports the tool results that a user message carries. What else it holds is Claude Code's talk with itself. */
export const reportToolResults = (message: Fields, context: MessageContext): void => {
  const turn = context.turns.place()
  if (turn === undefined || message.isReplay === true) return
  for (const content of partsOf(fieldsOf(message.message).content, context)) {
    const part = fieldsOf(content)
    if (part.type !== 'tool_result') continue
    context.todos.answered(textOf(part.tool_use_id).slice(0, 200), message.tool_use_result)
    context.emit({
      type: 'tool.result',
      data: {
        turn,
        parent: optionalText(message.parent_tool_use_id)?.slice(0, 200),
        toolUse: textOf(part.tool_use_id).slice(0, 200),
        isError: part.is_error === true,
        text: toolResultText(part.content),
      },
    })
  }
}

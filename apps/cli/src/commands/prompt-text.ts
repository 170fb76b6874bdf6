import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'

/** The prompt that the words of a command line make; a single `-` stands for standard input. */
export const promptText = async (context: Context, words: readonly string[]): Promise<string> => {
  const isInput = words.length === 1 && words[0] === '-'
  const text = isInput ? await context.readInput() : words.join(' ')
  if (text.trim() !== '') return text
  throw new ExitError(
    'usage',
    `The prompt is empty${isInput ? ': standard input held nothing' : ''}. Say what the agent should do, in quotes.`,
  )
}

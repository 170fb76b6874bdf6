import { type Answers, limits, type Question } from '@berth/contract'
import { clip } from './bounds.ts'
import { type Fields, fieldsOf, listOf, optionalText, textOf } from './fields.ts'

/** The questions of an `AskUserQuestion`, within the contract's bounds. */
export const questionsOf = (input: Fields): Question[] =>
  listOf(input.questions)
    .slice(0, 20)
    .map(fieldsOf)
    .map((item) => ({
      question: clip(textOf(item.question), limits.message),
      header: clip(textOf(item.header), 200),
      multiSelect: item.multiSelect === true,
      options: listOf(item.options)
        .slice(0, 20)
        .map(fieldsOf)
        .map((option) => ({
          label: clip(textOf(option.label), 500),
          description: clip(textOf(option.description), limits.message),
          preview: optionalText(option.preview) && clip(textOf(option.preview), limits.inlineText),
        })),
    }))

/** The tool's input with a person's answers: several labels for one question are joined by commas. */
export const answeredInput = (input: Fields, answers: Answers): Fields => ({
  ...input,
  answers: Object.fromEntries(
    listOf(input.questions).flatMap((item) => {
      const question = textOf(fieldsOf(item).question)
      const answer = answers[clip(question, limits.message)]
      return answer === undefined ? [] : [[question, typeof answer === 'string' ? answer : answer.join(', ')]]
    }),
  ),
})

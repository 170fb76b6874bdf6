import type { Answers, PermissionDecision, Question } from '@berth/contract'
import { isCancel, multiselect, password, select, text } from '@clack/prompts'
import type { Person } from './person.ts'
import { safeLine, safeText } from './safe-text.ts'

const decisions = [
  { value: 'once', label: 'Allow once' },
  { value: 'turn', label: 'Allow this tool for this turn' },
  { value: 'session', label: 'Allow this tool for this session' },
  { value: 'deny', label: 'Deny' },
  { value: 'say', label: 'Deny, and say why' },
  { value: 'stop', label: 'Deny, and interrupt the turn' },
  { value: 'later', label: 'Decide later' },
] as const

/** The person at a real terminal. */
export const clackPerson = (): Person => ({
  decide: async (request, signal) => {
    const message = `Allow ${safeLine(request.tool)}? ${safeLine(request.detail)}`
    const chosen = await select({ message, options: [...decisions], signal })
    return isCancel(chosen) ? undefined : toDecision(chosen, signal)
  },
  answer: async (request, signal) => {
    const answers: Answers = {}
    for (const question of request.questions) {
      const answer = await ask(question, signal)
      if (answer === undefined) return undefined
      answers[question.question] = answer
    }
    return answers
  },
  secret: async (message) => {
    const typed = await password({ message })
    return isCancel(typed) ? undefined : typed
  },
})

const toDecision = async (
  chosen: (typeof decisions)[number]['value'],
  signal: AbortSignal,
): Promise<PermissionDecision | undefined> => {
  if (chosen === 'later') return undefined
  if (chosen === 'deny') return { behavior: 'deny', interrupt: false }
  if (chosen === 'stop') return { behavior: 'deny', interrupt: true }
  if (chosen !== 'say') return { behavior: 'allow', scope: chosen }
  const message = await text({ message: 'What should the agent know?', signal })
  return isCancel(message) ? undefined : { behavior: 'deny', message, interrupt: false }
}

const other = '\0other'

const ask = async (question: Question, signal: AbortSignal): Promise<string | string[] | undefined> => {
  const message = safeText(question.question)
  const options = [
    ...question.options.map(({ label, description }) => ({
      value: label,
      label: safeLine(label),
      hint: safeLine(description),
    })),
    { value: other, label: 'Something else', hint: 'type it' },
  ]
  const chosen = question.multiSelect
    ? await multiselect({ message, options, signal })
    : await select({ message, options, signal })
  if (isCancel(chosen)) return undefined
  const labels = [chosen].flat()
  if (!labels.includes(other)) return chosen
  const typed = await text({ message: 'Your answer', signal })
  if (isCancel(typed)) return undefined
  const all = [...labels.filter((label) => label !== other), typed]
  return question.multiSelect ? all : typed
}

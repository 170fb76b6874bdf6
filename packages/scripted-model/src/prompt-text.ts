const reminder = /<system-reminder>[\s\S]*?<\/system-reminder>/g
const interruption = /^\[Request interrupted by user[^\]]*\]$/
const commandOutput = /^<local-command-(stdout|stderr|caveat)>/
const continuation = /^(?:please )?continue\b|^Output token limit hit\b|^Your response was cut off\b/i
/** A "Continue …" longer than this is a task of its own. */
const longestContinuation = 1500

/** Text without the `<system-reminder>` blocks that Claude Code adds to prompts and results. */
export function withoutReminders(text: string): string {
  return text.includes('<system-reminder>') ? text.replace(reminder, '').trim() : text.trim()
}

/** What a person wrote in this text block, or undefined when Claude Code wrote it. */
export function genuinePrompt(text: string): string | undefined {
  const rest = withoutReminders(text)
  return rest === '' || interruption.test(rest) || commandOutput.test(rest) ? undefined : rest
}

/** True for the prompts that go on with the turn before: after a restart, or after a truncated answer. */
export function isContinuation(prompt: string): boolean {
  return prompt.length <= longestContinuation && continuation.test(prompt)
}

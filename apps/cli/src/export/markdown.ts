import {
  type AnyEvent,
  emptyTranscript,
  foldTranscript,
  type RequestEntry,
  type SessionSummary,
  type ToolEntry,
  type Transcript,
  type TranscriptEntry,
} from '@berth/contract'
import { bytes, diffStatText, usageText } from '../render/amounts.ts'
import { clock, duration } from '../render/duration.ts'
import { toolSummary } from '../render/tool-line.ts'
import { plain } from '../terminal/style.ts'
import { fit } from '../terminal/width.ts'
import { fence, literal, quoted } from './safe-markdown.ts'
import { createUsageByTurn } from './usage-by-turn.ts'

/** Lines and characters of a tool's input or result that are shown. */
const longest = { lines: 40, characters: 4000 }

type Entry<K extends TranscriptEntry['kind']> = Extract<TranscriptEntry, { kind: K }>

/** Makes a document of a conversation: give it the events, then ask for the text. */
export const createMarkdown = (session: SessionSummary) => {
  // One for each session whose events there are: a fork comes with those of the session before it.
  const transcripts: Transcript[] = []
  const usage = createUsageByTurn()
  const answeredBy = new Map<string, string>()
  return {
    push: (event: AnyEvent) => {
      if (event.type === 'session.created' || transcripts.length === 0) transcripts.push(emptyTranscript())
      for (const transcript of transcripts.slice(-1)) foldTranscript(transcript, event)
      usage.push(event)
      if (event.type === 'permission.decided' || event.type === 'question.answered')
        answeredBy.set(event.data.request, event.actor.name ?? event.actor.id)
    },
    *pieces(): Generator<string> {
      yield head(session)
      const entries = transcripts.flatMap((transcript) => [...transcript.entries.values()])
      const agents = agentNames(entries)
      for (const entry of entries) {
        const text = entryText(entry, { usage, answeredBy, agents })
        if (text !== '') yield `\n${text}\n`
      }
    },
  }
}

interface Known {
  usage: ReturnType<typeof createUsageByTurn>
  answeredBy: Map<string, string>
  /** Tool use → name of the subagent in it. */
  agents: Map<string, string>
}

const agentNames = (entries: Iterable<TranscriptEntry>): Map<string, string> => {
  const names = new Map<string, string>()
  for (const entry of entries) if (entry.kind === 'tool') names.set(entry.toolUse, toolSummary(entry.text))
  return names
}

const head = (session: SessionSummary): string => {
  const { id, project, owner, createdAt, model, modelSource, status, turns, repositories, diff, fork } =
    session
  const rows: [string, string][] = [
    ['Session', `\`${id}\` in ${literal(project)}`],
    ['Owner', literal(owner.name ?? owner.id)],
    ['Created', clock(createdAt)],
    [
      'Model',
      modelSource === 'scripted'
        ? 'scripted model: written answers, no real one'
        : literal(model ?? 'default'),
    ],
    ['Phase', status.phase],
    ['Turns', String(turns)],
    ['Usage', usageText(session.usage)],
    ['Repositories', repositories.map(({ name, url }) => `${literal(name)} (${literal(url)})`).join(', ')],
    ['Changes', diffStatText(diff, plain)],
    ['Forked from', fork === undefined ? '' : `\`${fork.session}\``],
  ]
  const shown = rows.filter(([, value]) => value !== '').map(([name, value]) => `| ${name} | ${value} |`)
  return [`# ${literal(session.title)}`, '', '| | |', '| --- | --- |', ...shown, ''].join('\n')
}

const entryText = (entry: TranscriptEntry, known: Known): string => {
  switch (entry.kind) {
    case 'prompt':
      return promptText(entry)
    case 'text':
      return `**${speaker(entry.parent, known)}**\n\n${quoted(whole(entry))}${cut(entry)}`
    case 'thinking':
      return folded(`${speaker(entry.parent, known)} thinks`, quoted(whole(entry)))
    case 'tool':
      return toolText(entry, known)
    case 'permission':
    case 'question':
      return requestText(entry, known)
    case 'turn-ended':
      return endText(entry, known)
    default:
      return `*${entry.level}:* ${literal(entry.message)}`
  }
}

const speaker = (parent: string | undefined, { agents }: Known): string =>
  parent === undefined ? 'Agent' : `Subagent (${literal(fit(agents.get(parent) ?? '', 60))})`

const whole = ({ text, full }: { text: string; full?: { size: number } }): string =>
  full === undefined ? text : `${text}\n\n… (${bytes(full.size)} in all)`

const cut = ({ state }: { state: string }): string => (state === 'completed' ? '' : '\n\n*(cut off)*')

const promptText = ({ sender, at, content, state }: Entry<'prompt'>): string => {
  const note = state === 'taken' ? '' : ` (${state === 'queued' ? 'waits' : 'withdrawn'})`
  const blocks = content.map((block) =>
    block.type === 'text'
      ? quoted(whole(block))
      : `*${block.type === 'file' ? literal(block.name) : 'image'}, ${bytes(block.content.size)}*`,
  )
  return [`## ${literal(sender.name ?? sender.id)}, ${clock(at)}${note}`, ...blocks].join('\n\n')
}

const toolText = (entry: ToolEntry, known: Known): string => {
  const whose = entry.parent === undefined ? '' : `${speaker(entry.parent, known)}: `
  const { result } = entry
  const outcome = result === undefined ? ' (no result)' : result.isError ? ' (failed)' : ''
  const title = `${whose}${literal(entry.tool)} ${literal(fit(toolSummary(entry.text), 100))}${outcome}`
  const parts = [fence(shortened(prettyJson(entry.text), entry.full), 'json')]
  if (result !== undefined)
    parts.push(result.isError ? 'Error:' : 'Result:', fence(shortened(result.text, result.full)))
  return folded(title, parts.join('\n\n'))
}

const prettyJson = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

const shortened = (text: string, full?: { size: number }): string => {
  const lines = text.split('\n')
  const kept = lines.slice(0, longest.lines).join('\n').slice(0, longest.characters)
  if (full !== undefined) return `${kept}\n… (${bytes(full.size)} in all)`
  return kept.length === text.length
    ? text
    : `${kept}\n… (${lines.length} lines, ${text.length} characters in all)`
}

const requestText = (entry: RequestEntry, { answeredBy }: Known): string => {
  const by = literal(answeredBy.get(entry.id) ?? 'nobody')
  const answer =
    entry.state === 'answered'
      ? `${answerText(entry.answer)} (${by})`
      : entry.state === 'open'
        ? 'waits for an answer'
        : 'void'
  const asked =
    entry.kind === 'permission'
      ? `${literal(entry.tool ?? '')} needs permission: ${literal(entry.detail ?? '')}`
      : (entry.questions ?? []).map(({ question }) => literal(question)).join(' · ')
  return `**?** ${asked} → ${answer}`
}

const answerText = (answer: unknown): string => {
  const given = { ...(answer as Record<string, unknown>) }
  if (typeof given.behavior === 'string') {
    const scope = typeof given.scope === 'string' && given.scope !== 'once' ? ` for this ${given.scope}` : ''
    return `${given.behavior === 'allow' ? 'allowed' : 'denied'}${scope}`
  }
  return literal(
    Object.values(given)
      .map((value) => [value].flat().join(', '))
      .join('; '),
  )
}

const results = {
  success: '✓ done',
  error: '✗ ended with an error',
  interrupted: '■ interrupted',
  failed: '✗ failed',
} as const

const endText = ({ turn, result, message, durationMs }: Entry<'turn-ended'>, { usage }: Known): string => {
  const used = usageText(usage.of(turn))
  const facts = [`${results[result]} in ${duration(durationMs)}`, ...(used === '' ? [] : [used])]
  // What an agent said last stands above.
  const why = result === 'success' || message === '' ? '' : `: ${literal(message)}`
  return `*${facts.join(' · ')}*${why}`
}

/** Shown when it is opened. The title is on one line and literal, so the HTML around it is ours alone. */
const folded = (title: string, body: string): string =>
  `<details><summary>${title}</summary>\n\n${body}\n\n</details>`

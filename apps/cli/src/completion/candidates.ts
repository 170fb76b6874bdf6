import type { Client } from '@berth/client'
import { phase, type SessionSummary } from '@berth/contract'
import type { Command } from 'commander'
import { shortId, shortIdLength } from '../session-ref.ts'
import { settingNames } from '../settings/setting-value.ts'
import { safeLine } from '../terminal/safe-text.ts'
import { fit } from '../terminal/width.ts'
import { type Found, type Place, placeOf } from './place.ts'

export interface Candidate {
  value: string
  /** A word of explanation, where the shell shows it. */
  text: string
}

export interface Completion {
  /** `files`: the shell completes names of files; `nospace`: the word goes on. */
  directive: 'plain' | 'files' | 'nospace'
  candidates: Candidate[]
}

export interface Source {
  client: Client
  env: NodeJS.ProcessEnv
  /** Ends the questions to the backend. */
  signal: AbortSignal
}

const longestText = 60
const files: Completion = { directive: 'files', candidates: [] }
const nothing: Completion = { directive: 'plain', candidates: [] }

const plain = (candidates: readonly Candidate[]): Completion => ({
  directive: 'plain',
  candidates: [...candidates],
})
const words = (values: readonly string[]): Completion => plain(values.map((value) => ({ value, text: '' })))

/** What may stand in place of the last word. Asks the backend for names; where it does not answer, gives none. */
export const complete = async (
  program: Command,
  line: readonly string[],
  source: Source,
): Promise<Completion> => {
  const found = placeOf(program, line)
  const { directive, candidates } = await all(found, source).catch(() => nothing)
  const { typed, lead } = found
  // A session may also be meant by its title.
  const fits = candidates.filter(({ value }) => value.startsWith(typed))
  const byTitle =
    typed.length < 2 ? [] : candidates.filter(({ text }) => text.toLowerCase().includes(typed.toLowerCase()))
  const isSession = namesSession(found)
  const shown = fits.length > 0 || !isSession ? fits : byTitle
  return { directive, candidates: shown.map(({ value, text }) => ({ value: lead + value, text })) }
}

const namesSession = ({ place }: Found): boolean =>
  place.kind === 'argument' && place.argument.name() === 'session'

const all = async (found: Found, source: Source): Promise<Completion> => {
  const { place } = found
  switch (place.kind) {
    case 'command':
      return plain(commandsOf(place.of))
    case 'option':
      return plain(optionsOf(place.of))
    case 'value': {
      const { option } = place
      if (option.argChoices !== undefined) return words(option.argChoices)
      if (option.attributeName() === 'project') return projects(source)
      if (option.attributeName() === 'phase') return words(phase.options)
      if (option.attributeName() === 'set') return settings(found)
      return /<(file|path|location)>/.test(option.flags) || found.typed.startsWith('@') ? files : nothing
    }
    case 'argument':
      return argument(found, place, source)
    default:
      return nothing
  }
}

const argument = async (
  found: Found,
  { of, argument: wanted }: Extract<Place, { kind: 'argument' }>,
  source: Source,
): Promise<Completion> => {
  if (wanted.argChoices !== undefined) return words(wanted.argChoices)
  switch (wanted.name()) {
    case 'session':
      return sessions(found, source)
    case 'name':
      return isBelowProject(of) ? projects(source) : nothing
    case 'setting':
      return words(settingNames)
    case 'setting=value':
      return settings(found)
    default:
      return nothing
  }
}

const isBelowProject = (command: Command): boolean =>
  command.name() !== 'create' &&
  (command.name() === 'project' || (command.parent !== null && isBelowProject(command.parent)))

const commandsOf = (command: Command): Candidate[] => {
  const help = command.createHelp()
  return help.visibleCommands(command).map((child) => ({
    value: child.name(),
    text: said(child.summary() || child.description()),
  }))
}

const optionsOf = (command: Command): Candidate[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ value: option.long ?? option.flags, text: said(option.description) }))

/** `name=`, after which the value follows in the same word. */
const settings = ({ typed }: Found): Completion =>
  typed.includes('=')
    ? nothing
    : { directive: 'nospace', candidates: settingNames.map((name) => ({ value: `${name}=`, text: '' })) }

const projects = async ({ client, signal }: Source): Promise<Completion> => {
  const { items } = await client.listProjects({ query: { limit: 200 }, signal })
  return plain(items.map(({ name, displayName }) => ({ value: name, text: said(displayName) })))
}

const sessions = async (found: Found, { client, env, signal }: Source): Promise<Completion> => {
  const project = found.given.get('project') ?? env.BERTH_PROJECT ?? 'default'
  const deleted = found.given.has('restore') ? ({ deleted: 'true' } as const) : {}
  const { items } = await client.listSessions({
    params: { project },
    query: { limit: 100, ...deleted },
    signal,
  })
  const length = shortIdLength(items.map(({ id }) => id))
  const isFull = found.typed.startsWith('ses_')
  const named = items.map((item: SessionSummary) => ({
    value: isFull ? item.id : shortId(item.id, length),
    text: said(`${item.title} (${item.status.phase})`),
  }))
  const last = items.length === 0 || isFull ? [] : [{ value: 'last', text: 'the newest one' }]
  return plain([...last, ...named])
}

/** Agents write titles: no control characters, no length that fills the screen. */
const said = (text: string): string => fit(safeLine(text), longestText)

import { sessionSettings, settings } from '@berth/contract'
import { ExitError } from '../exit-code.ts'
import { safeLine } from '../terminal/safe-text.ts'
import { isMap, isSettingName, readValue, settingNames, ValueProblem } from './setting-value.ts'

/** Settings to be changed; null takes one back. */
export type Changes = Record<string, unknown>

type Map = Record<string, unknown>

export interface Target {
  /** What is set there now, for entries of maps. */
  own?: Map
  /** Whose settings they are. A session can't set all of them. */
  scope?: 'project' | 'session'
}

/**
 * Reads `name=value` pairs. A list is given as JSON or as several pairs; a map as JSON, or entry by entry as
 * `name.entry=value`, which leaves its other entries (of `own`) as they are; an empty value takes a setting back.
 * Throws once, naming every pair that is wrong.
 */
export const readAssignments = (
  pairs: readonly string[],
  { own = {}, scope = 'project' }: Target = {},
): Changes => {
  const changes: Changes = {}
  const problems: string[] = []
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const [path, written] = [pair.slice(0, Math.max(0, at)), pair.slice(at + 1)]
    try {
      if (isSettingName(pair)) throw new ValueProblem(`write ${pair}=value`)
      assign(changes, own, { path, written })
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error
      problems.push(`${safeLine(path === '' ? pair : path)}: ${error.message}`)
    }
  }
  return refuse(problems, checked(changes, scope))
}

/** Takes settings, or entries of maps, back to what counts below. */
export const readRemovals = (paths: readonly string[], { own = {} }: Target = {}): Changes => {
  const changes: Changes = {}
  const problems: string[] = []
  for (const path of paths) {
    try {
      assign(changes, own, { path, written: '' })
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error
      problems.push(`${safeLine(path)}: ${error.message}`)
    }
  }
  return refuse(problems, { changes, problems: [] })
}

const assign = (changes: Changes, own: Map, { path, written }: { path: string; written: string }): void => {
  const [name = '', ...rest] = path.split('.')
  const entry = rest.join('.')
  if (!isSettingName(name)) throw new ValueProblem(unknownSetting(name))
  if (entry === '') {
    const value = written === '' ? null : readValue(name, written)
    const before = changes[name]
    changes[name] = Array.isArray(value) && Array.isArray(before) ? [...before, ...value] : value
    return
  }
  if (!isMap(name)) throw new ValueProblem(`${name} has no entries; write ${name}=value`)
  const map: Map = { ...((changes[name] ?? own[name]) as Map | undefined) }
  if (written === '') delete map[entry]
  else map[entry] = name === 'env' ? textValue(written) : readValue(name, written)
  changes[name] = Object.keys(map).length === 0 ? null : map
}

const textValue = (written: string): unknown => readValue('instructions', written)

const unknownSetting = (name: string): string => {
  const wanted = name.toLowerCase()
  const close = settingNames.find((known) => known.toLowerCase().includes(wanted) && wanted.length > 2)
  const hint =
    close === undefined ? '`berth project settings get default` lists them' : `did you mean ${close}?`
  return `no setting is called so; write name=value; ${hint}`
}

/** What the schemas say to the values. */
const checked = (
  changes: Changes,
  scope: 'project' | 'session',
): { changes: Changes; problems: string[] } => {
  const problems = Object.entries(changes).flatMap(([name, value]) => {
    if (!isSettingName(name)) return []
    if (scope === 'session' && !Object.hasOwn(sessionSettings.shape, name))
      return [`${name}: only a project can set it`]
    if (value === null) return []
    const { shape } = scope === 'session' ? sessionSettings : settings
    const issues = (shape as typeof settings.shape)[name].safeParse(value).error?.issues ?? []
    return issues.map((issue) => `${[name, ...issue.path].map(String).join('.')}: ${wordsOf(issue)}`)
  })
  return { changes, problems }
}

type Issue = NonNullable<ReturnType<typeof settings.safeParse>['error']>['issues'][number]

/** Of a map's key, what is wrong with it. */
const wordsOf = (issue: Issue): string =>
  issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message

const refuse = (
  found: readonly string[],
  { changes, problems }: { changes: Changes; problems: string[] },
): Changes => {
  const all = [...found, ...problems.map(safeLine)]
  if (all.length === 0) return changes
  throw new ExitError(
    'usage',
    `These settings are not valid; nothing was changed.\n${all.map((line) => `  ${line}`).join('\n')}`,
  )
}

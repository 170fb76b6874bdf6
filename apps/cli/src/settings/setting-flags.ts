import type { SessionSettings } from '@berth/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ExitError } from '../exit-code.ts'
import { collect } from '../options.ts'
import { safeLine } from '../terminal/safe-text.ts'
import { readAssignments } from './assignments.ts'

/** What the flags of a command that makes a session say about its settings. */
export interface SettingFlags {
  model?: string
  effort?: string
  instructions?: string
  env?: string[]
  budgetUsd?: string
  budgetTokens?: string
  deadline?: string
  idle?: string
  maxTurns?: string
  set?: string[]
  allow?: string[]
  ask?: string[]
  deny?: string[]
  otherwise?: 'allow' | 'ask' | 'deny'
}

const units: Record<string, number> = { m: 1, h: 60, d: 1440 }

/** Minutes, from `90`, `90m`, `2h` or `1d`. */
const minutes = (text: string): string => {
  const [, amount, unit = 'm'] =
    /^(\d+(?:\.\d+)?)\s*([mhd]?)$/.exec(text)?.map((part) => part || undefined) ?? []
  const factor = units[unit]
  if (amount === undefined || factor === undefined)
    throw new InvalidArgumentError('expected minutes, or a time such as 90m, 2h or 1d.')
  return String(Number(amount) * factor)
}

/** The flags for the settings that sessions need most, and `--set` for all others. */
export const addSettingFlags = (command: Command): Command =>
  command
    .option('-m, --model <name>', 'model (default: the project’s)')
    .addOption(
      new Option('--effort <level>', 'how hard the model thinks').choices([
        'low',
        'medium',
        'high',
        'xhigh',
        'max',
      ]),
    )
    .option('--instructions <text>', 'added to the system prompt; @file reads it from a file')
    .option('--env <name=value>', 'environment variable of the agent, visible to it; repeatable', collect)
    .option('--budget-usd <dollars>', 'pause when so much is spent')
    .option('--budget-tokens <count>', 'the same in tokens, e.g. 500k')
    .option('--deadline <time>', 'stop after this time of running, e.g. 90m or 2h', minutes)
    .option('--idle <time>', 'hibernate after this time without work; 0: never', minutes)
    .option('--max-turns <count>', 'stop after so many turns')
    .option('--allow <rule>', 'tool that runs without asking, e.g. "Bash(npm test:*)"; repeatable', collect)
    .option('--ask <rule>', 'tool for which a person is asked first; repeatable', collect)
    .option('--deny <rule>', 'tool that never runs; repeatable', collect)
    .addOption(
      new Option('--otherwise <what>', 'for tools that no rule names').choices(['allow', 'ask', 'deny']),
    )
    .option(
      '--set <setting=value>',
      'any other setting, as `project settings set` takes it; repeatable',
      collect,
    )

/** The settings that the flags say. Throws once, naming every one that is not valid. */
export const settingsOfFlags = (flags: SettingFlags): SessionSettings => {
  const { set = [], env = [], allow, ask, deny } = flags
  const pairs = [
    ...one('model', flags.model),
    ...one('effort', flags.effort),
    ...one('instructions', flags.instructions),
    ...one('budgetUsd', flags.budgetUsd),
    ...one('budgetTokens', flags.budgetTokens),
    ...one('deadlineMinutes', flags.deadline),
    ...one('idleMinutes', flags.idle),
    ...one('maxTurns', flags.maxTurns),
    ...one('otherwise', flags.otherwise),
    ...(env.length === 0 ? [] : [`env=${JSON.stringify(mapOf(env))}`]),
    ...set,
  ]
  // Rules are taken as they are: one that begins with an at sign is no file.
  const lists = Object.entries({ allow, ask, deny }).filter(([, value]) => value !== undefined)
  const read = Object.entries(readAssignments(pairs, { scope: 'session' })).filter(
    ([, value]) => value !== null,
  )
  return Object.fromEntries([...lists, ...read]) as SessionSettings
}

/** Values as they are: an empty one too, and one that begins with an at sign. */
const mapOf = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at <= 0) throw new ExitError('usage', `--env ${safeLine(pair)}: expected name=value.`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )

const one = (name: string, value: string | undefined): string[] =>
  value === undefined ? [] : [`${name}=${value}`]

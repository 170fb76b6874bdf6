import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settings } from '@berth/contract'
import { Command } from 'commander'
import { afterAll, describe, expect, test } from 'vitest'
import { type Changes, readAssignments, readRemovals } from './assignments.ts'
import { addSettingFlags, settingsOfFlags } from './setting-flags.ts'
import { kindOf, settingNames } from './setting-value.ts'

const dir = mkdtempSync(join(tmpdir(), 'berth-settings-'))
afterAll(() => rmSync(dir, { recursive: true }))
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}

const message = (run: () => unknown): string => {
  try {
    run()
    return 'nothing was refused'
  } catch (error) {
    return (error as Error).message
  }
}

describe('settings on the command line', () => {
  test.each<[string[], Changes]>([
    [['turnMinutes=30', 'idleMinutes=1.5'], { turnMinutes: 30, idleMinutes: 1.5 }],
    [['budgetTokens=2.5M', 'budgetUsd=0.5'], { budgetTokens: 2_500_000, budgetUsd: 0.5 }],
    [['stopWhenDone=true', 'repositoryHooks=false'], { stopWhenDone: true, repositoryHooks: false }],
    [['model=claude-sonnet-4-5', 'effort=high'], { model: 'claude-sonnet-4-5', effort: 'high' }],
    [['ask=Bash(git push:*)', 'ask=WebFetch'], { ask: ['Bash(git push:*)', 'WebFetch'] }],
    [['allow=["Read", "Bash(a=b)"]'], { allow: ['Read', 'Bash(a=b)'] }],
    [['allow=[]'], { allow: [] }],
    [['env={"A":"1"}', 'env.B=2=3'], { env: { A: '1', B: '2=3' } }],
    [['model=', 'env.OLD='], { model: null, env: { KEEP: 'x' } }],
    [
      ['workflow={"url":"https://git.example.com/w.git"}'],
      { workflow: { url: 'https://git.example.com/w.git' } },
    ],
    [['instructions=@@mention'], { instructions: '@mention' }],
    [['mcpServers.db={"command":"db"}'], { mcpServers: { db: { command: 'db' } } }],
  ])('%j', (pairs, changes) => {
    expect(readAssignments(pairs, { own: { env: { KEEP: 'x', OLD: 'y' } } })).toEqual(changes)
  })

  test('come from files', () => {
    const text = file('notes.md', 'Be brief.\n')
    const server = file('db.json', '{"command":"db","args":["-v"]}')
    expect(readAssignments([`instructions=@${text}`, `mcpServers.db=@${server}`])).toEqual({
      instructions: 'Be brief.',
      mcpServers: { db: { command: 'db', args: ['-v'] } },
    })
  })

  test('that are wrong are all named at once, with what is expected', () => {
    const said = message(() =>
      readAssignments([
        'turnMinutes=soon',
        'memoryMiB=1',
        'stopWhenDone=yes',
        'effort=huge',
        'turnMinute=3',
        'model',
        'hooks={',
        'turnMinutes.x=1',
        `instructions=@${dir}/none`,
        'env.PATH=/bin',
      ]),
    )
    expect(said).toMatch(/^These settings are not valid; nothing was changed\.\n/)
    for (const line of [
      'turnMinutes: expected a number, not soon',
      'memoryMiB: Too small: expected number to be >=512',
      'stopWhenDone: expected true or false, not yes',
      'effort: Invalid option: expected one of "low"|"medium"|"high"|"xhigh"|"max"',
      'turnMinute: no setting is called so; write name=value; did you mean turnMinutes?',
      'hooks: expected JSON: ',
      'turnMinutes.x: turnMinutes has no entries',
      'can’t be read: ENOENT',
      'env.PATH: this name is reserved',
    ])
      expect(said).toContain(line)
  })

  test('are taken back, whole or entry by entry', () => {
    const own = { model: 'm', env: { A: '1', B: '2' } }
    expect(readRemovals(['model', 'env.A'], { own })).toEqual({ model: null, env: { B: '2' } })
    expect(readRemovals(['env.A', 'env.B'], { own })).toEqual({ env: null })
    expect(message(() => readRemovals(['modle'], { own }))).toContain('no setting is called so')
  })

  test('of every kind can be written', () => {
    const kinds = new Set(settingNames.map(kindOf))
    expect(kinds).toEqual(new Set(['number', 'boolean', 'text', 'list', 'json']))
    expect(settingNames).toEqual(Object.keys(settings.shape))
  })
})

test('the flags of run become settings', () => {
  const command = addSettingFlags(new Command()).exitOverride()
  const flags = (...args: string[]) => settingsOfFlags(command.parse(args, { from: 'user' }).opts())
  const env = ['--env', 'A=@b', '--env', 'EMPTY=']
  const budget = [
    '--budget-usd',
    '2.5',
    '--budget-tokens',
    '500k',
    '--deadline',
    '2h',
    '--idle',
    '0',
    '--max-turns',
    '7',
  ]
  expect(
    flags('--model', 'm', '--effort', 'low', ...env, ...budget, '--deny', 'WebFetch', '--set', 'maxSteps=9'),
  ).toEqual({
    model: 'm',
    effort: 'low',
    env: { A: '@b', EMPTY: '' },
    budgetUsd: 2.5,
    budgetTokens: 500_000,
    deadlineMinutes: 120,
    idleMinutes: 0,
    maxTurns: 7,
    deny: ['WebFetch'],
    maxSteps: 9,
  })
})

test.each([
  [['--budget-usd', 'much'], 'budgetUsd: expected a number, not much'],
  [['--max-turns', '0'], 'maxTurns: Too small'],
  [['--env', 'nothing'], '--env nothing: expected name=value.'],
  [['--set', 'allowedModels=x'], 'allowedModels: only a project can set it'],
])('%j are refused', (args, text) => {
  const command = addSettingFlags(new Command()).exitOverride()
  expect(message(() => settingsOfFlags(command.parse(args, { from: 'user' }).opts()))).toContain(text)
})

test('the reference of the configuration names every setting', () => {
  const root = join(import.meta.dirname, '..', '..', '..', '..')
  const text = readFileSync(join(root, 'docs', 'reference', 'configuration.md'), 'utf8')
  const table = text.slice(text.indexOf('## Settings of projects and sessions'))
  expect(settingNames.filter((name) => !table.includes(`\`${name}\``))).toEqual([])
})

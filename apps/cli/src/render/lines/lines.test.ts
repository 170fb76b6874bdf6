import { type AnyEvent, type EventData, type EventType, eventSchema } from '@berth/contract'
import { describe, expect, test } from 'vitest'
import { plain } from '../../terminal/style.ts'
import { nextId } from '../../test-server.ts'
import { createLiveView } from '../live-view.ts'

const [turn, request, prompt, operation] = [
  nextId('turn'),
  nextId('request'),
  nextId('prompt'),
  nextId('operation'),
]
const commit = 'c0ffee00'.padEnd(40, '0')
const blob = { blob: 'a'.repeat(64), size: 9, mediaType: 'application/json' }
const checkpoint = { number: 3, manifest: blob, size: 4096, files: 12 }
const diff = { files: 1, insertions: 2, deletions: 0 }

type Row = { [T in EventType]: [T, EventData<T>, string, string?] }[EventType]

/** Event, what is told, and what is told with `--verbose` where that is more. */
const rows: Row[] = [
  ['session.settings_changed', { settings: {}, limits: {} } as never, '  Settings changed by Ann'],
  ['session.updated', { title: 'New' }, '  renamed to “New” by Ann'],
  ['session.shared', { visibility: 'project', shares: [] }, '  Opened to the whole project by Ann'],
  ['session.shared', { visibility: 'private', shares: [] }, '  Made private by Ann'],
  [
    'session.shared',
    { visibility: 'private', shares: [{ kind: 'user', id: 'bob', role: 'viewer' }] },
    '  Private, shared with user:bob (viewer) by Ann',
  ],
  ['session.stop_requested', { reason: 'user' }, '  Stopping (user, Ann)'],
  [
    'session.stop_requested',
    { reason: 'idle' },
    '  Falls asleep: nothing to do for a while. A prompt wakes it',
  ],
  ['session.resume_requested', {}, '  Resumed by Ann'],
  ['session.restored', {}, '  Restored by Ann'],
  [
    'session.waits',
    { reason: 'memory', message: 'Too little memory is free.', position: 2 },
    '! Waits for room, place 2 in the queue: Too little memory is free.',
  ],
  ['session.notice', { level: 'warning', message: 'Soon over.' }, '  Soon over.'],
  [
    'secrets.shown',
    { secrets: [{ name: 'deploy', variable: 'DEPLOY' }] },
    '! The agent, and who prompts it, can read these secrets of the project: deploy (as DEPLOY)',
  ],
  ['secrets.shown', { secrets: [] }, '  The agent can read no secret of the project any more'],
  [
    'egress.refused',
    {
      scheme: 'https',
      host: 'example.com',
      port: 443,
      method: 'GET',
      path: '/',
      why: 'host',
      message: 'No rule allows example.com.',
      last: true,
    },
    '! No rule allows example.com. More that is refused in this turn is not told.',
  ],
  [
    'budget.reached',
    { scope: 'session', unit: 'usd', period: 'session', used: 4.2, limit: 5, spent: false },
    '! The budget of this session is nearly spent: $4.20 of $5.00',
  ],
  [
    'budget.reached',
    {
      scope: 'user',
      unit: 'tokens',
      period: '2030-01',
      user: 'ada',
      used: 2_000_000,
      limit: 2_000_000,
      spent: true,
    },
    '! The budget of ada for 2030-01 is spent: 2.0M of 2.0M tokens',
  ],
  [
    'turn.paused',
    { turn, reason: 'budget', message: 'Raise it.' },
    '‖ The turn is paused (budget): Raise it.',
  ],
  [
    'turn.restarted',
    { turn, attempt: 2, reason: 'The disk is new.' },
    '! The turn begins again from its last checkpoint: The disk is new.',
  ],
  ['prompt.withdrawn', { prompt }, '  A prompt was withdrawn by Ann'],
  ['request.cancelled', { request, reason: 'Over.' }, '  The request is void: Over.'],
  ['repository.added', { repository: { url: '/srv/lib' } }, '  Repository /srv/lib added by Ann'],
  ['repository.removed', { name: 'lib' }, '  Repository lib removed by Ann'],
  ['repository.retried', { name: 'lib' }, '  Cloning lib again (Ann)'],
  ['repository.state', { name: 'lib', state: 'cloning' }, ''],
  ['repository.state', { name: 'lib', state: 'ready', ms: 1200 }, '  ✓ clone lib 1.2 s'],
  [
    'repository.state',
    { name: 'lib', state: 'failed', message: 'Gone.' },
    '✗ lib could not be cloned: Gone.',
  ],
  ['repository.state', { name: 'lib', state: 'removed' }, '  lib is gone from the workspace'],
  [
    'repository.pushed',
    { name: 'lib', url: 'u', branch: 'berth/x', commit, forced: true, checkpoint: 3 },
    '↑ lib: pushed berth/x (c0ffee00, forced, Ann)',
  ],
  [
    'git.pushed',
    { name: 'lib', url: 'u', branch: 'berth/x', commit },
    '↑ lib: the agent pushed berth/x (c0ffee00)',
  ],
  ['git.refused', { url: 'u', message: 'no tags' }, '! A push of the agent’s to u was refused: no tags'],
  [
    'checkpoint.saved',
    { ...checkpoint, reason: 'turn', ms: 300 },
    '',
    '  Checkpoint 3 (turn, 4.0 KB, 0.3 s)',
  ],
  [
    'checkpoint.saved',
    { ...checkpoint, reason: 'turn', ms: 300, omitted: 'big.bin is too large.' },
    '! Checkpoint 3 is not whole: big.bin is too large.',
  ],
  [
    'checkpoint.failed',
    { reason: 'turn', message: 'Too many files.' },
    '! The session’s state could not be saved: Too many files.',
  ],
  ['workspace.restore_requested', { checkpoint }, '  Taking the files back to checkpoint 3 (Ann)'],
  [
    'workspace.restored',
    { checkpoint: 3, files: 12, ms: 200 },
    '  ✓ The files are as in checkpoint 3 (12 files, 0.2 s)',
  ],
  [
    'workspace.restore_failed',
    { checkpoint: 3, message: 'It is damaged.' },
    '! The files could not be taken back to checkpoint 3: It is damaged.',
  ],
  ['operation.requested', { operation, request: { kind: 'git-state' } }, '', '  Ann asks for: git-state'],
  [
    'operation.failed',
    { operation, error: { code: 'not-found', message: 'No such file.' } },
    '',
    '  Not done (not-found): No such file.',
  ],
  ['agent.compacted', { trigger: 'auto' }, '  The conversation was made shorter to fit the model'],
  [
    'agent.mcp',
    {
      servers: [
        { name: 'db', status: 'failed', error: 'exit code 1\nat line 3', tools: [] },
        { name: 'web', status: 'connected', tools: [{ name: 'get' }] },
      ],
    },
    '! MCP server db: failed: exit code 1',
    '! MCP server db: failed: exit code 1\n  MCP server web: connected, 1 tools',
  ],
  [
    'agent.reconfigured',
    { changed: ['model', 'effort'] },
    '  The agent runs with other settings: model, effort',
  ],
  [
    'conversation.rebuilt',
    { reason: 'Its transcript is damaged.', turns: 4 },
    '! The agent begins a new conversation, told what was said before: Its transcript is damaged.',
  ],
  ['workflow.loaded', { name: 'Review', url: '/srv/w', commit }, '  Workflow Review (/srv/w at c0ffee00)'],
  [
    'workflow.failed',
    { url: '/srv/w', message: 'No such branch.' },
    '! The workflow /srv/w can’t be used: No such branch.',
  ],
  [
    'agent.task',
    { task: 't', state: 'started', description: 'npm run dev' },
    '',
    '  In the background: npm run dev',
  ],
  [
    'agent.task',
    { task: 't', state: 'failed', description: 'npm run dev' },
    '  Background work failed: npm run dev',
  ],
  [
    'workspace.snapshot',
    {
      turn,
      repositories: [
        {
          name: 'lib',
          commit,
          commits: 0,
          total: diff,
          turn: diff,
          files: [],
          patch: { text: '' },
          turnPatch: { text: '' },
        },
      ],
    },
    '± lib: 1 file +2 −0',
  ],
  ['session.deleted', { purgeAt: '2030-01-01T00:00:00.000Z' }, '  Deleted by Ann; purged 2030-01-01'],
]

const at = (type: EventType, data: unknown): AnyEvent =>
  ({
    seq: 1,
    at: '2026-01-01T00:00:00.000Z',
    version: 1,
    actor: { kind: 'user', id: 'u', name: 'Ann' },
    type,
    data,
  }) as AnyEvent

const told = (type: EventType, data: unknown, verbose = false) =>
  createLiveView({ style: plain, columns: () => 200, verbose })
    .push(at(type, data))
    .trimEnd()

describe('[P78] each event is told as it should be', () => {
  test.each(rows)('%s %j', (type, data, text, verbose = text) => {
    expect(told(type, data)).toMatch(new RegExp(`^${literally(text)}`))
    if (text === '') expect(told(type, data)).toBe('')
    expect(told(type, data, true)).toMatch(new RegExp(`^${literally(verbose)}`))
  })

  test('and none of them drives the terminal', () => {
    const evil = '\u001b]0;x\u0007\r\u202e'
    const closed = ['level', 'reason', 'state', 'status', 'kind', 'code', 'scope', 'unit']
    const spoil = (value: unknown, spared: readonly string[]): unknown => {
      if (typeof value === 'string')
        return /^[a-z]{3}_|^\d{4}-|^[0-9a-f]{40}/.test(value) ? value : value + evil
      if (Array.isArray(value)) return value.map((item) => spoil(item, spared))
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, spared.includes(key) ? item : spoil(item, spared)]),
      )
    }
    for (const [type, data] of rows) {
      const spoilt = [[], closed].map((spared) => spoil(data, spared))
      // What the schema refuses can't come.
      const allowed = spoilt.find((item) => eventSchema(type).safeParse(item).success) ?? data
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
      expect(told(type, allowed, true)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/)
    }
  })
})

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

test('the list of things to do is told whole once, then as it changes', () => {
  const view = createLiveView({ style: plain, columns: () => 80 })
  const push = (...states: EventData<'agent.todos'>['items'][number]['state'][]) =>
    view.push(
      at('agent.todos', { turn, items: states.map((state, i) => ({ text: `item ${i + 1}`, state })) }),
    )
  expect(push('in-progress', 'pending')).toBe('  To do: 0 of 2 done\n  ▸ item 1\n  ☐ item 2\n')
  expect(push('completed', 'in-progress')).toBe('  ☑ item 1\n  ▸ item 2\n')
  expect(push('completed', 'in-progress')).toBe('')
})

test('what a subagent does stands indented, with its name', () => {
  const view = createLiveView({ style: plain, columns: () => 80 })
  const use = (...[toolUse, tool, input, parent]: [string, string, object, string?]) => {
    const block = nextId('block')
    return [
      view.push(at('block.started', { kind: 'tool_use', turn, block, toolUse, tool, parent })),
      view.push(at('block.completed', { block, text: JSON.stringify(input) })),
    ].join('')
  }
  const say = (text: string, parent: string) => {
    const block = nextId('block')
    return (
      view.push(at('block.started', { kind: 'text', turn, block, parent })) +
      view.push(at('block.completed', { block, text }))
    )
  }
  const result = (toolUse: string, text: string, parent?: string) =>
    view.push(at('tool.result', { turn, toolUse, isError: false, text, parent }))
  expect(use('t1', 'Task', { subagent_type: 'reviewer', description: 'Review it' })).toBe(
    '● Task Review it\n',
  )
  expect(use('t2', 'Read', { file_path: 'a.ts' }, 't1')).toBe('  reviewer ● Read a.ts\n')
  expect(result('t2', 'one\ntwo', 't1')).toBe('  reviewer   └ one (+1 line)\n')
  expect(use('t3', 'Task', { description: 'Dig deeper' }, 't1')).toBe('  reviewer ● Task Dig deeper\n')
  expect(say('Deep.', 't3')).toBe('    Dig deeper │ Deep.\n')
  expect(result('t3', 'dug', 't1')).toBe('  reviewer   └ dug\n')
  expect(result('t1', 'fine')).toBe('  └ Task Review it: fine\n')
})

test('a repository whose clone a step of the start told is not told again', () => {
  const view = createLiveView({ style: plain, columns: () => 80 })
  const step = { step: 'clone', item: 'lib' } as const
  view.push(at('start.step', { ...step, state: 'started' }))
  expect(view.push(at('start.step', { ...step, state: 'done', ms: 100 }))).toBe('  ✓ clone lib 0.1 s\n')
  expect(view.push(at('repository.state', { name: 'lib', state: 'ready' }))).toBe('')
  expect(view.push(at('start.step', { ...step, state: 'failed', message: 'Gone.' }))).toContain('Gone.')
  expect(view.push(at('repository.state', { name: 'lib', state: 'failed', message: 'Gone.' }))).toBe('')
})

test('the scripted model is named also where the beginning of the log was not read', () => {
  const view = createLiveView({ style: plain, columns: () => 80, scripted: true })
  expect(view.push(at('agent.ready', { version: '2', model: 'm' }))).toBe(
    '  Claude Code 2, answered by the scripted model\n',
  )
})

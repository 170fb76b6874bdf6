import { type AnyEvent, type NewEvent, noDiff, noUsage, type SessionSummary } from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { safeJson, safeLine, safeText } from '../terminal/safe-text.ts'
import { createStyle, plain, wantsColour } from '../terminal/style.ts'
import { fit, padEnd, textWidth } from '../terminal/width.ts'
import { nextId } from '../test-server.ts'
import { bytes, usageText } from './amounts.ts'
import { renderPatch } from './diff.ts'
import { age, duration } from './duration.ts'
import { createLiveView } from './live-view.ts'
import { renderSessionList } from './session-list.ts'
import { renderSession } from './session-view.ts'
import { renderTable } from './table.ts'
import { resultSummary, toolSummary } from './tool-line.ts'

const now = Date.parse('2026-01-02T00:00:00.000Z')

const summary = (changes: Partial<SessionSummary> = {}): SessionSummary => ({
  id: nextId('session'),
  project: 'default',
  title: 'Fix it',
  labels: {},
  owner: { kind: 'user', id: 'ann' },
  visibility: 'project',
  createdAt: '2026-01-01T20:00:00.000Z',
  updatedAt: '2026-01-01T20:00:00.000Z',
  version: 1,
  seq: 1,
  desired: 'running',
  status: { phase: 'idle', since: '2026-01-01T23:55:00.000Z' },
  activity: 'Waiting for a prompt',
  modelSource: 'live',
  repositories: [],
  diff: noDiff,
  usage: noUsage,
  turns: 0,
  queue: [],
  requests: [],
  generation: 1,
  restarts: 0,
  ...changes,
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
const drivesTerminal = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/

describe('hostile text', () => {
  test('never drives the terminal, whole or in pieces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(safeText(text)).not.toMatch(drivesTerminal)
        expect(safeLine(text)).not.toMatch(/[\n\t]/)
        expect(safeJson({ text })).not.toMatch(drivesTerminal)
        expect(JSON.parse(safeJson({ text }))).toEqual({ text })
      }),
    )
  })

  test('is shown for what it is', () => {
    expect(safeText('a\u001b[2Jb\u0007\r\nc\rd\u202e\u009b1m\tz')).toBe('a␛[2Jb␇\nc␍d\ufffd\ufffd1m\tz')
  })

  test('of any event leaves the screen alone', () => {
    const evil = '\u001b]0;owned\u0007\u009b2J\r'
    const turn = nextId('turn')
    const block = nextId('block')
    const request = nextId('request')
    const view = createLiveView({ style: plain, columns: () => 80 })
    const option = { label: evil, description: evil }
    const told = [
      {
        type: 'session.created',
        data: {
          session: nextId('session'),
          project: 'p',
          title: evil,
          labels: {},
          repositories: [],
          settings: {},
          model: 'live',
        },
      },
      { type: 'prompt.queued', data: { prompt: nextId('prompt'), content: [{ type: 'text', text: evil }] } },
      { type: 'start.step', data: { step: 'clone', item: evil, state: 'failed', message: evil } },
      { type: 'block.started', data: { kind: 'text', turn, block } },
      { type: 'block.delta', data: { block, offset: 0, text: evil } },
      { type: 'block.completed', data: { block, text: evil } },
      {
        type: 'permission.requested',
        data: { request, turn, tool: evil, input: {}, detail: evil, because: evil },
      },
      {
        type: 'question.asked',
        data: {
          request,
          turn,
          questions: [{ question: evil, header: evil, multiSelect: false, options: [option] }],
        },
      },
      { type: 'tool.result', data: { turn, toolUse: 't', isError: true, text: evil } },
      { type: 'runner.notice', data: { level: 'error', message: evil } },
      { type: 'turn.ended', data: { turn, attempt: 1, result: 'error', message: evil, durationMs: 1 } },
    ] satisfies NewEvent[]
    expect(told.map((event) => view.push(at(event))).join('')).not.toMatch(drivesTerminal)
    const session = summary({ title: evil, activity: evil, labels: { a: evil } })
    expect(renderSession(session, { style: plain, now })).not.toMatch(drivesTerminal)
    expect(renderSessionList([session], { width: 80, style: plain, now })).not.toMatch(drivesTerminal)
  })
})

let seq = 0
const at = (event: NewEvent, actor = 'Ann'): AnyEvent =>
  ({
    seq: ++seq,
    at: '2026-01-01T00:00:00.000Z',
    version: 1,
    actor: { kind: 'user', id: 'u', name: actor },
    ...event,
  }) as AnyEvent

describe('the live view', () => {
  const play = (events: readonly NewEvent[], columns = 80) => {
    const view = createLiveView({ style: plain, columns: () => columns })
    return events.map((event) => view.push(at(event)))
  }
  const turn = nextId('turn')
  const [a, b] = [nextId('block'), nextId('block')]

  test('writes text as it comes, whatever the pieces', () => {
    const text = 'Grüße 🙂\r\nund 世界'
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length }), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.sort((x, y) => x - y), text.length]
        const deltas = places.slice(1).map((end, i): NewEvent => {
          const offset = places[i] ?? 0
          return { type: 'block.delta', data: { block: a, offset, text: text.slice(offset, end) } }
        })
        const started: NewEvent = { type: 'block.started', data: { kind: 'text', turn, block: a } }
        const out = play([started, ...deltas, { type: 'block.completed', data: { block: a, text } }])
        expect(out.join('')).toBe('Grüße 🙂\nund 世界\n')
      }),
    )
  })

  test('tells the same with and without the deltas that compaction deletes', () => {
    const text = 'one two'
    const events: NewEvent[] = [
      { type: 'block.started', data: { kind: 'text', turn, block: a } },
      { type: 'block.delta', data: { block: a, offset: 0, text: 'one ' } },
      { type: 'block.completed', data: { block: a, text } },
      { type: 'turn.ended', data: { turn, attempt: 1, result: 'success', message: '', durationMs: 61_000 } },
    ]
    const whole = play(events).join('')
    expect(play(events.filter((event) => event.type !== 'block.delta')).join('')).toBe(whole)
    expect(whole).toBe('one two\n\n✓ done in 1 min 1 s\n')
  })

  test('keeps lines out of a text that is being written', () => {
    const out = play([
      { type: 'block.started', data: { kind: 'text', turn, block: a } },
      { type: 'block.delta', data: { block: a, offset: 0, text: 'Look' } },
      {
        type: 'block.started',
        data: { kind: 'tool_use', turn, block: b, toolUse: 't', tool: 'Read', parent: 'p' },
      },
      { type: 'block.completed', data: { block: b, text: '{"file_path":"a.ts"}' } },
      { type: 'block.delta', data: { block: a, offset: 4, text: 'ing' } },
      { type: 'block.completed', data: { block: a, text: 'Looking' } },
    ])
    expect(out.join('')).toBe('Looking\n  ● Read a.ts\n')
  })

  test('shows the steps of a start with their durations, and cut-off text', () => {
    const out = play([
      { type: 'start.step', data: { step: 'clone', item: 'app', state: 'started' } },
      { type: 'start.step', data: { step: 'clone', item: 'app', state: 'done', ms: 420 } },
      { type: 'start.step', data: { step: 'sandbox', state: 'failed', message: 'install bubblewrap' } },
      { type: 'isolation.tested', data: { sandbox: 'none', sandboxed: false, ok: true, probes: [] } },
      { type: 'block.started', data: { kind: 'text', turn, block: a } },
      { type: 'block.delta', data: { block: a, offset: 0, text: 'Hal' } },
      { type: 'block.aborted', data: { block: a, reason: 'interrupted' } },
    ])
    expect(out.join('')).toBe(
      '  ✓ clone app 0.4 s\n  ✗ sandbox: install bubblewrap 0.0 s\n! unsandboxed: the agent runs with your rights\n\nHal … (cut off)\n',
    )
  })

  test('names a result that does not stand below its tool', () => {
    const use = (block: string, toolUse: string, path: string): NewEvent[] => [
      { type: 'block.started', data: { kind: 'tool_use', turn, block, toolUse, tool: 'Read' } },
      {
        type: 'block.completed',
        data: { block, text: JSON.stringify({ file_path: `/workspace/app/${path}` }) },
      },
    ]
    const result = (toolUse: string): NewEvent => ({
      type: 'tool.result',
      data: { turn, toolUse, isError: false, text: toolUse },
    })
    const out = play([...use(a, 't1', 'a.ts'), ...use(b, 't2', 'b.ts'), result('t2'), result('t1')])
    expect(out.join('')).toBe('● Read app/a.ts\n● Read app/b.ts\n  └ t2\n  └ Read a.ts: t1\n')
  })

  test('tells a prompt that has to wait again when its turn comes, and who else sent it', () => {
    const [first, second] = [nextId('prompt'), nextId('prompt')]
    const queued = (prompt: string, text: string): NewEvent => ({
      type: 'prompt.queued',
      data: { prompt, content: [{ type: 'text', text }] },
    })
    const started = (prompt: string): NewEvent => ({
      type: 'turn.started',
      data: { turn, prompt, promptSeq: 1, attempt: 1 },
    })
    const ended: NewEvent = {
      type: 'turn.ended',
      data: { turn, attempt: 1, result: 'interrupted', message: 'Said already.', durationMs: 100 },
    }
    const out = play([queued(first, 'a\nb'), started(first), queued(second, 'c'), ended, started(second)])
    expect(out.join('')).toBe('› a\n  b\n\n› c  (waits for its turn)\n\n■ interrupted in 0.1 s\n\n› c\n')
  })

  test('tells the same trouble once, and why a start failed once', () => {
    const error: NewEvent = {
      type: 'model.error',
      data: { turn, status: 400, type: 'invalid', message: 'No.' },
    }
    const out = play([
      { type: 'start.step', data: { step: 'clone', item: 'app', state: 'failed', ms: 90, message: 'Gone.' } },
      { type: 'start.failed', data: { reason: 'clone', message: 'Gone.' } },
      error,
      error,
    ])
    expect(out.join('')).toBe(
      '  ✗ clone app: Gone. 0.1 s\n✗ The start failed (clone)\n! The model answered 400: No.\n',
    )
  })

  test('keeps tool lines within the width', () => {
    const command = `echo ${'宽'.repeat(100)}`
    const out = play(
      [
        { type: 'block.started', data: { kind: 'tool_use', turn, block: a, toolUse: 't', tool: 'Bash' } },
        { type: 'block.completed', data: { block: a, text: JSON.stringify({ command }) } },
      ],
      40,
    )
    expect(textWidth(out.join('').trimEnd())).toBeLessThanOrEqual(40)
  })
})

describe('lists', () => {
  test('fit their terminal at any width', () => {
    const sessions = [
      summary({
        title: '修复测试 🙂 with a long title that has to give way',
        modelSource: 'scripted',
        sandboxed: false,
      }),
      summary({ diff: { files: 2, insertions: 10, deletions: 3 } }),
    ]
    for (let width = 20; width <= 160; width += 7)
      for (const line of renderSessionList(sessions, { width, style: plain, now }).split('\n'))
        expect(textWidth(line)).toBeLessThanOrEqual(width)
    const wide = renderSessionList(sessions, { width: 200, style: plain, now })
    expect(wide).toContain('scripted model, unsandboxed')
    expect(renderSessionList(sessions, { width: 70, style: plain, now })).toContain(
      'scripted model, unsandboxed',
    )
    expect(wide).toContain('2 files +10 −3')
  })

  test('put sessions that wait for a person on top', () => {
    const waiting = summary({
      title: 'Waits',
      status: { phase: 'waiting', since: '2026-01-01T23:55:00.000Z' },
    })
    const lines = renderSessionList([summary(), waiting], { width: 100, style: plain, now }).split('\n')
    expect(lines[1]).toContain('Waits')
  })

  test('keep styles out of the width', () => {
    const rows = [[{ text: 'ab', paint: (text: string) => `<${text}>` }, { text: 'c' }]]
    expect(
      renderTable({ columns: [{ title: 'NAME' }, { title: 'X' }], rows }, { width: 80, style: plain }),
    ).toBe('NAME  X\n<ab>    c')
  })
})

describe('small words', () => {
  test.each([
    [120, '0.1 s'],
    [9_940, '9.9 s'],
    [9_960, '10 s'],
    [59_700, '1 min'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [400_000_000, '4 d'],
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text))

  test('ages, sizes and usage', () => {
    expect(age('2026-01-01T23:10:00.000Z', now)).toBe('50 min')
    expect([bytes(12), bytes(4096), bytes(30_000_000)]).toEqual(['12 B', '4.0 KB', '29 MB'])
    expect(usageText({ ...noUsage, inputTokens: 12_000, outputTokens: 300, costUsd: 0.04 })).toBe(
      '12.3k tokens · $0.0400',
    )
    expect(usageText({ ...noUsage, inputTokens: 5, costUsd: null })).toBe('5 tokens')
  })

  test.each([
    ['{"command":"npm test","description":"Run"}', 'npm test'],
    ['{"file_path":"/a/b.ts","content":"x"}', '/a/b.ts'],
    ['{"todos":[{"status":"completed"},{"status":"pending"}]}', '1 of 2 done'],
    ['{}', ''],
    ['{"command":', '{"command":'],
  ])('the tool input %s is %s', (input, text) => expect(toolSummary(input)).toBe(text))

  test('results in a line', () => {
    expect(resultSummary('\n first\n\nsecond\nthird')).toBe('first (+2 lines)')
    expect(resultSummary('')).toBe('(no output)')
  })

  test('cuts and pads by columns', () => {
    expect(fit('世界和平', 5)).toBe('世界…')
    expect(padEnd('世', 4)).toBe('世  ')
  })
})

test('colours follow NO_COLOR, FORCE_COLOR and the terminal', () => {
  expect(wantsColour({}, true)).toBe(true)
  expect(wantsColour({}, false)).toBe(false)
  expect(wantsColour({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false)
  expect(wantsColour({ FORCE_COLOR: '1' }, false)).toBe(true)
  expect(wantsColour({ FORCE_COLOR: '0' }, true)).toBe(false)
  expect(wantsColour({ TERM: 'dumb' }, true)).toBe(false)
})

test('a diff is coloured line by line, and its content is made safe', () => {
  const style = createStyle(true)
  const out = renderPatch('@@ -1 +1 @@\n-a\n+b\u001b[2J\n c', style)
  expect(out).toBe([style.cyan('@@ -1 +1 @@'), style.red('-a'), style.green('+b␛[2J'), ' c'].join('\n'))
})

test('a session shows what is special about it, and nothing of what is not', () => {
  const at = '2026-01-01T23:00:00.000Z'
  const session = summary({
    blockedBy: 'budget',
    todos: { completed: 1, total: 3, current: 'Write it' },
    fork: { project: 'default', session: nextId('session') },
    checkpoint: { number: 4, at, size: 4096 },
    workflow: { name: 'Review', url: '/srv/w', commit: 'c0ffee0011' },
    mcp: [
      { name: 'db', status: 'failed' },
      { name: 'web', status: 'connected' },
    ],
    repositories: [{ name: 'lib', url: '/srv/lib', state: 'failed', message: 'Gone.', diff: noDiff }],
  })
  const text = renderSession(session, { style: plain, now })
  for (const line of [
    'waits for  somebody who raises its budget limit',
    'to do      1 of 3 done, now: Write it',
    'checkpoint 4, 4.0 KB (1 h ago)',
    'workflow   Review (/srv/w at c0ffee00)',
    'mcp        db (failed), web',
    'repository lib  failed: Gone.  from /srv/lib',
    'What to do: berth doctor ',
  ])
    expect(text).toContain(line)
  expect(renderSession(summary(), { style: plain, now })).not.toMatch(
    /waits for|to do|checkpoint|workflow|mcp|forked/,
  )
})

test('columns that are not needed go before others give way', () => {
  const session = summary({ title: 'A title that is not cut', todos: { completed: 1, total: 3 } })
  expect(renderSessionList([session], { width: 120, style: plain, now })).toContain('1/3')
  const narrow = renderSessionList([session], { width: 86, style: plain, now })
  expect(narrow).not.toContain('DONE')
  expect(narrow).toContain('A title that is not cut')
})

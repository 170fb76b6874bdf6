import { BerthError, type SessionSummary } from '@berth/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Context } from './context.ts'
import { runCli } from './run-cli.ts'
import { shortId } from './session-ref.ts'
import { type TestContext, testContext } from './test-context.ts'
import { type FakeBackend, nextId, person, playTurn, startFakeBackend } from './test-server.ts'

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
  fake.onPrompt = (session, prompt, seq) => void playTurn(fake, { session, prompt, seq })
})
afterEach(() => fake.close())

const run = async (
  args: string[],
  changes: Partial<Context> = {},
): Promise<{ code: number; context: TestContext }> => {
  const context = testContext(fake.url, changes)
  return { code: await runCli(args, context), context }
}

const makeSession = async (prompt?: string): Promise<SessionSummary> =>
  testContext(fake.url).client.createSession({
    params: { project: 'default' },
    body: prompt === undefined ? {} : { prompt },
  })

/** A turn that asks for a permission and ends once it is decided. */
const askForPermission = (session: string, prompt: string, seq: number): string => {
  const turn = nextId('turn')
  const request = nextId('request')
  fake.append(session, { type: 'turn.started', data: { turn, prompt, promptSeq: seq, attempt: 1 } })
  const data = {
    request,
    turn,
    tool: 'Bash',
    input: { command: 'rm -r build' },
    detail: 'rm -r build',
    because: 'otherwise: ask',
  }
  fake.append(session, { type: 'permission.requested', data })
  return turn
}

const endTurn = (session: string, turn: string) =>
  fake.append(session, {
    type: 'turn.ended',
    data: { turn, attempt: 1, result: 'success', message: '', durationMs: 1 },
  })

describe('berth run', () => {
  test('follows the turn and tells its result by the exit code', async () => {
    const { code, context } = await run(['run', '--title', 'Greet', 'say', 'hello'])
    expect(code).toBe(0)
    expect(context.stdout()).toContain('Greet [scripted model]')
    expect(context.stdout()).toContain('› say hello')
    expect(context.stdout()).toContain('Hello wörld\n● Bash npm test\n  └ ok 1 (+1 line)\n')
    expect(context.stdout()).toContain('✓ done in 1.2 s')
    expect(context.stderr()).toContain('berth attach')
  })

  test('gives 1 for a turn that ends in an error', async () => {
    fake.onPrompt = (session, prompt, seq) =>
      void playTurn(fake, { session, prompt, seq }, { result: 'error' })
    const { code, context } = await run(['run', 'x'])
    expect(code).toBe(1)
    expect(context.stdout()).toContain('✗ ended with an error in 1.2 s: The end')
  })

  test('gives 1 when the session fails', async () => {
    fake.onPrompt = (session) =>
      void fake.append(session, {
        type: 'session.failed',
        data: { reason: 'sandbox', message: 'No bubblewrap.' },
      })
    const { code, context } = await run(['run', 'x'])
    expect(code).toBe(1)
    expect(context.stdout()).toContain('✗ Failed (sandbox): No bubblewrap.')
  })

  test('gives 3 when a person is needed and nobody is there', async () => {
    fake.onPrompt = (session, prompt, seq) => void askForPermission(session, prompt, seq)
    const { code, context } = await run(['run', 'x'])
    expect(code).toBe(3)
    expect(context.stdout()).toContain('? Bash needs permission: rm -r build')
    expect(context.stderr()).toContain('The agent waits for a person. Answer with: berth attach')
  })

  test('asks the person who is there, and goes on', async () => {
    fake.onPrompt = (session, prompt, seq) => {
      const turn = askForPermission(session, prompt, seq)
      fake.onAppend = (_, event) => {
        if (event.type === 'permission.decided') endTurn(session, turn)
      }
    }
    const asked: string[] = []
    const decide = async (request: { detail: string }) => {
      asked.push(request.detail)
      return { behavior: 'allow', scope: 'turn' } as const
    }
    const someone = { decide, answer: async () => undefined, secret: async () => undefined }
    const { code, context } = await run(['run', 'x'], { person: someone })
    expect([code, asked]).toEqual([0, ['rm -r build']])
    expect(context.stdout()).toContain('✓ allowed for this turn by Ann')
  })

  test('interrupts at Ctrl-C and gives 4', async () => {
    let turn = ''
    fake.onPrompt = (session, prompt, seq) => {
      turn = nextId('turn')
      fake.append(session, { type: 'turn.started', data: { turn, prompt, promptSeq: seq, attempt: 1 } })
      fake.append(session, { type: 'runner.notice', data: { level: 'info', message: 'busy' } })
    }
    const context = testContext(fake.url)
    const done = runCli(['run', 'x'], context)
    await context.written('busy')
    context.interrupt()
    await context.written('Interrupting (Ann)')
    const [session = ''] = [...fake.sessions.keys()]
    fake.append(session, {
      type: 'turn.ended',
      data: { turn, attempt: 1, result: 'interrupted', message: '', durationMs: 9 },
    })
    expect(await done).toBe(4)
  })

  test('leaves at the second Ctrl-C', async () => {
    fake.onPrompt = (session, prompt, seq) => void askForPermission(session, prompt, seq)
    const never = () => new Promise<undefined>(() => undefined)
    let asked = () => {}
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const later = (_: unknown, signal: AbortSignal) => {
      asked()
      return new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
    }
    const context = testContext(fake.url, { person: { decide: later, answer: later, secret: never } })
    const done = runCli(['run', 'x'], context)
    await isAsked
    context.interrupt()
    context.interrupt()
    expect(await done).toBe(4)
  })

  test('prints events as on the wire with --json', async () => {
    const { code, context } = await run(['run', '--json', 'x'])
    const lines = context
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const [session = ''] = [...fake.sessions.keys()]
    expect(code).toBe(0)
    expect(lines).toEqual(fake.sessions.get(session)?.log)
  })

  test('sends repositories, labels and settings', async () => {
    const args = [
      'run',
      '-d',
      '-r',
      '/srv/app#dev',
      '-r',
      'https://x.test/lib.git',
      '-b',
      'main',
      '-l',
      'team=web',
      '-m',
      'claude-x',
      '--deny',
      'WebFetch',
      '--otherwise',
      'ask',
      '-',
    ]
    const { code, context } = await run(args)
    const session = fake.summary(context.stdout().trim())
    expect(code).toBe(0)
    expect(session).toMatchObject({
      title: 'from standard input',
      labels: { team: 'web' },
      model: 'claude-x',
    })
    expect(session.repositories.map(({ url, branch }) => [url, branch])).toEqual([
      ['/srv/app', 'dev'],
      ['https://x.test/lib.git', 'main'],
    ])
  })
})

describe('sessions', () => {
  test('are listed, shown, prompted, stopped, resumed, deleted and restored', async () => {
    const { id } = await makeSession()
    const short = shortId(id)
    expect((await run(['ls'])).context.stdout()).toMatch(
      new RegExp(`${short}\\s+○ pending\\s+scripted model\\s+New session`),
    )
    expect((await run(['show', 'last'])).context.stdout()).toContain(
      'scripted model: written answers, no real one',
    )
    expect((await run(['prompt', short, 'more', '--follow'])).context.stdout()).toContain('Hello wörld')
    expect((await run(['stop', short])).context.stdout()).toMatch(/^Stopping /)
    expect((await run(['resume', short])).context.stdout()).toMatch(/^Resuming /)
    expect((await run(['rm', short])).context.stdout()).toContain(`berth rm --restore ${short}`)
    expect((await run(['ls'])).context.stderr()).toContain('No sessions here')
    expect((await run(['rm', '--restore', id])).context.stdout()).toMatch(/^Restored /)
    const listed = (await run(['ls', '--json'])).context.stdout().trim()
    expect(JSON.parse(listed).id).toBe(id)
  })

  test('are found by unique parts of their ids only', async () => {
    const first = await makeSession()
    await makeSession()
    expect((await run(['show', first.id.slice(4, 12)])).code).toBe(2)
    expect((await run(['show', first.id.slice(4, 12)])).context.stderr()).toContain('fits 2 sessions')
    expect((await run(['show', 'zzzzzz'])).code).toBe(6)
    expect((await run(['show', first.id])).code).toBe(0)
  })

  test('can be attached to: history, an open question, prompts that are typed, and leaving', async () => {
    fake.onPrompt = () => undefined
    const { id } = await makeSession('first')
    const turn = nextId('turn')
    const request = nextId('request')
    const [queued] = fake.summary(id).queue
    fake.append(id, {
      type: 'turn.started',
      data: { turn, prompt: queued?.prompt ?? '', promptSeq: 2, attempt: 1 },
    })
    const option = (label: string) => ({ label, description: '' })
    const questions = [
      { question: 'Which?', header: 'Colour', multiSelect: false, options: [option('red'), option('blue')] },
    ]
    fake.append(id, { type: 'question.asked', data: { request, turn, questions } })
    const lines = new Set<(text: string) => void>()
    let end: (() => void) | undefined
    const openLine = () => ({
      show: () => undefined,
      hide: () => undefined,
      onLine: (listener: (text: string) => void) => void lines.add(listener),
      onInterrupt: () => undefined,
      onEnd: (listener: () => void) => {
        end = listener
      },
      close: () => undefined,
    })
    const someone = {
      decide: async () => undefined,
      answer: async () => ({ 'Which?': 'blue' }),
      secret: async () => undefined,
    }
    const context = testContext(fake.url, { person: someone, openLine })
    const done = runCli(['attach', 'last'], context)
    await context.written('✓ answered by Ann: blue')
    for (const line of lines) line('and then this')
    await context.written('› and then this')
    end?.()
    expect(await done).toBe(0)
  })

  test('that others answered close the dialogue', async () => {
    let aborted = false
    let turn = ''
    fake.onPrompt = (session, prompt, seq) => {
      turn = askForPermission(session, prompt, seq)
    }
    const decide = (data: unknown, signal: AbortSignal) =>
      new Promise<undefined>((resolve) => {
        const [session = ''] = [...fake.sessions.keys()]
        signal.addEventListener('abort', () => {
          aborted = true
          resolve(undefined)
        })
        const { request } = data as { request: string }
        const decision = { behavior: 'deny', interrupt: false } as const
        fake.append(session, { type: 'permission.decided', data: { request, decision } }, person)
        endTurn(session, turn)
      })
    const { code, context } = await run(['run', 'x'], {
      person: { decide, answer: decide, secret: async () => undefined },
    })
    expect([code, aborted]).toEqual([0, true])
    expect(context.stdout()).toContain('✗ denied by Ann')
    expect(fake.requests.filter((line) => line.includes('/permissions/'))).toEqual([])
  })
})

describe('changes', () => {
  const stat = { files: 1, insertions: 1, deletions: 1 }
  const file = {
    path: 'src/a.ts',
    status: 'modified',
    binary: false,
    insertions: 1,
    deletions: 1,
    mode: '100644',
  }
  const repository = {
    name: 'app',
    commit: 'a'.repeat(40),
    commits: 0,
    total: stat,
    turn: stat,
    files: [file],
    patch: { text: '' },
    turnPatch: { text: '' },
  }

  test('are shown as a diff, as counts, and as JSON', async () => {
    await makeSession()
    fake.answers.getChanges = { repositories: [repository] }
    fake.answers.getPatch = 'diff --git a/src/a.ts b/src/a.ts\n-old\n+new\n'
    expect((await run(['diff', 'last'])).context.stdout()).toBe(
      'diff --git a/src/a.ts b/src/a.ts\n-old\n+new\n',
    )
    expect((await run(['diff', 'last', '--stat'])).context.stdout()).toBe(
      'app  1 file +1 −1\n  src/a.ts  +1 −1\n',
    )
    expect(JSON.parse((await run(['diff', 'last', '--json'])).context.stdout()).repositories[0].name).toBe(
      'app',
    )
    expect((await run(['diff', 'last', '--repo', 'other'])).code).toBe(6)
  })
})

describe('projects', () => {
  test('are listed and changed with the version that was read', async () => {
    const project = {
      name: 'web',
      displayName: 'Web',
      description: '',
      createdAt: '',
      updatedAt: '',
      version: 4,
      sessions: 2,
    }
    fake.answers.listProjects = { items: [project] }
    fake.answers.getProject = project
    fake.answers.updateProject = project
    fake.answers.getProjectSettings = { version: 9, own: {}, effective: {}, origins: {} }
    fake.answers.updateProjectSettings = fake.answers.getProjectSettings
    expect((await run(['project', 'ls'])).context.stdout()).toContain('web          2  Web')
    expect(
      (
        await run([
          'project',
          'set',
          'web',
          'displayName=The web',
          'turnMinutes=5',
          'ask=A',
          'ask=B',
          'model=',
        ])
      ).code,
    ).toBe(0)
    expect(fake.requests.slice(-4)).toEqual([
      'GET /api/projects/web',
      'PATCH /api/projects/web',
      'GET /api/projects/web/settings',
      'PATCH /api/projects/web/settings',
    ])
    expect((await run(['project', 'set', 'web', 'colour=red'])).code).toBe(2)
  })
})

describe('errors', () => {
  test('say what, why, which fields and which request', async () => {
    fake.answers.createSession = new BerthError('invalid_input', 'The request is not valid for a reason.', [
      { field: 'body.title', message: 'too\u001b[2J long' },
    ])
    const { code, context } = await run(['run', 'x'])
    expect(code).toBe(2)
    expect(context.stderr()).toBe(
      '✗ The request is not valid\n  The request is not valid for a reason.\n  title: too␛[2J long\n  (invalid_input, request req-42)\n',
    )
  })

  test.each([
    ['unauthenticated', 6],
    ['session_failed', 6],
    ['internal', 7],
  ] as const)('%s gives %i', async (error, code) => {
    fake.answers.createSession = new BerthError(error, 'Why.')
    expect((await run(['run', 'x'])).code).toBe(code)
  })

  test('are objects with --json', async () => {
    const { context } = await run(['show', '--json', 'nothing'])
    expect(JSON.parse(context.stderr())).toMatchObject({ code: 'refused' })
    expect(context.stdout()).toBe('')
  })

  test('a backend that does not run gives 5 and says how to start it', async () => {
    const context = testContext('http://127.0.0.1:1')
    expect(await runCli(['ls'], context)).toBe(5)
    expect(context.stderr()).toBe(
      '✗ Berth is not running at http://127.0.0.1:1; start it with `berth serve` (or set BERTH_URL).\n',
    )
  })

  test('wrong usage gives 2, help gives 0', async () => {
    expect((await run(['fly'])).code).toBe(2)
    expect((await run(['ls', '--phase', 'asleep'])).code).toBe(2)
    const { code, context } = await run(['--help'])
    expect([code, context.stdout().includes('Exit codes:')]).toEqual([0, true])
  })
})

test('ls --watch redraws when the project changes', async () => {
  await makeSession()
  const context = testContext(fake.url)
  const done = runCli(['ls', '--watch'], context)
  await context.written('New session')
  context.interrupt()
  expect(await done).toBe(0)
})

test('open prints the one-time link', async () => {
  const { context } = await run(['open'])
  expect(context.stdout()).toBe(`${fake.url}/login?ticket=abc\n`)
})

test('a prompt to a session that has reached a limit is not waited for', async () => {
  const { id } = await makeSession()
  fake.onPrompt = () => undefined
  fake.append(id, { type: 'generation.started', data: { generation: 1, runtime: 'fake' } })
  fake.append(id, { type: 'session.stop_requested', data: { reason: 'budget' } })
  fake.append(id, { type: 'generation.ended', data: { generation: 1, reason: 'exited', message: '' } })
  const { code, context } = await run(['prompt', id, 'more', '--follow'])
  expect(code).toBe(4)
  expect(context.stderr()).toContain(
    `The prompt waits: the session has reached its limit (budget). What to do: berth doctor ${shortId(id)}`,
  )
})

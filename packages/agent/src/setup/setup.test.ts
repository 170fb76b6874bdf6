import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import {
  createPlayground,
  type Playground,
  startAgent,
  type TestAgent,
  type TestScenario,
} from '../agent.fixture.ts'
import type { AgentOptions } from '../agent.ts'
import type { AgentSetup } from './agent-setup.ts'
import { type SetupContent, setupFiles } from './setup-files.ts'

let place: Playground
const started: TestAgent[] = []

interface Setting {
  content?: Partial<SetupContent>
  setup?: Omit<AgentSetup, 'directory'>
  options?: Partial<AgentOptions>
  /** Of the repository, by path. */
  files?: Record<string, string>
}

const begin = async (scenarios: TestScenario[], setting: Setting = {}) => {
  place = await createPlayground(scenarios)
  for (const [path, text] of Object.entries(setting.files ?? {})) await place.write(path, text)
  return again(setting)
}

const again = async ({ content, setup, options }: Setting = {}) => {
  const directory = join(dirname(place.cwd), 'setup')
  const files = setupFiles({ commands: {}, skills: {}, hooks: {}, ...content })
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  const one = startAgent(place, { setup: { directory, ...setup }, ...options })
  started.push(one)
  await one.agent.ready
  return one
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ agent }) => agent.close()))
  await place.remove()
})

const bash = (command: string) => ({ name: 'Bash', input: { command, description: 'A command' } })
const asked = () =>
  place.model.requests
    .filter(({ path }) => path.startsWith('/v1/messages'))
    .map(({ body }) => JSON.stringify(body))
const mark = (name: string) => join(place.cwd, name)

describe('commands, skills, agents and hooks of the settings', () => {
  test('are there by their bare names, and work', async () => {
    const one = await begin(
      [
        { name: 'c', when: { prompt: { contains: 'greet Ada kindly' } }, steps: [{ text: 'Hello.' }] },
        {
          name: 's',
          when: { prompt: { contains: 'the steps of a release' } },
          steps: [{ text: 'Released.' }],
        },
        {
          name: 'a',
          when: { prompt: { contains: 'review this' } },
          steps: [
            {
              tools: [
                { name: 'Agent', input: { description: 'd', prompt: 'sub work', subagent_type: 'reviewer' } },
              ],
            },
            { text: 'Reviewed.' },
          ],
        },
        { name: 'sub', when: { prompt: { contains: 'sub work' } }, steps: [{ text: 'Looks good.' }] },
        { name: 'h', steps: [{ tools: [bash('echo hi')] }, { text: 'Ran.' }] },
      ],
      {
        content: {
          commands: {
            greet: {
              description: 'Greets: "x"\n---\n',
              argumentHint: '[name]',
              prompt: 'greet $ARGUMENTS kindly',
            },
          },
          skills: {
            release: {
              description: 'How to release',
              instructions: 'Follow the steps of a release.',
              files: { 'notes/a.md': 'A note' },
            },
          },
          hooks: {
            PreToolUse: [
              {
                matcher: 'Bash',
                hooks: [{ type: 'command', command: 'cat > "$CLAUDE_PROJECT_DIR/../work/hooked"' }],
              },
            ],
          },
        },
        setup: { agents: { reviewer: { description: 'Reviews', prompt: 'You review with care.' } } },
      },
    )
    const ready = one.all('agent.ready')[0]
    expect(ready?.commands).toEqual(expect.arrayContaining(['greet', 'release']))
    expect(ready?.agents).toContain('reviewer')
    expect(await one.turn('/greet Ada')).toMatchObject({ message: 'Hello.' })
    expect(await one.turn('/release')).toMatchObject({ message: 'Released.' })
    expect(await one.turn('review this')).toMatchObject({ result: 'success' })
    await place.model.waitForRequest(({ body }) => JSON.stringify(body).includes('You review with care.'))
    expect(existsSync(mark('hooked'))).toBe(false)
    expect(await one.turn('run')).toMatchObject({ message: 'Ran.' })
    expect(existsSync(mark('hooked'))).toBe(true)
  })

  test('a hook may refuse a tool', async () => {
    const one = await begin([{ name: 'h', steps: [{ tools: [bash('touch done')] }, { text: 'End.' }] }], {
      content: {
        hooks: { PreToolUse: [{ hooks: [{ type: 'command', command: 'echo "not today" >&2; exit 2' }] }] },
      },
    })
    expect(await one.turn('run')).toMatchObject({ message: 'End.' })
    expect(one.all('tool.result')).toMatchObject([
      { isError: true, text: expect.stringContaining('not today') },
    ])
    expect(existsSync(mark('done'))).toBe(false)
  })
})

describe('what a repository brings', () => {
  const repository = {
    'CLAUDE.md': 'memory of the repository',
    'sub/CLAUDE.md': 'memory of a part',
    'sub/.claude/skills/nested/SKILL.md': '---\nname: nested\ndescription: nested skill of a part\n---\nrun',
    '.claude/rules/style.md': 'rules of the repository',
    '.claude/commands/theirs.md': 'their command',
    '.claude/agents/theirs.md': '---\nname: their-agent\ndescription: d\n---\nprompt',
    '.claude/skills/hooked/SKILL.md':
      '---\nname: hooked\ndescription: d\nhooks:\n  PreToolUse:\n    - hooks:\n        - type: command\n          command: touch skill-hook\n---\nrun',
    '.claude/settings.json': JSON.stringify({
      hooks: {
        SessionStart: [{ hooks: [{ type: 'command', command: 'touch start-hook' }] }],
        PreToolUse: [{ hooks: [{ type: 'command', command: 'touch tool-hook' }] }],
      },
      apiKeyHelper: 'touch key-helper; echo key',
      statusLine: { type: 'command', command: 'touch status-line' },
      env: { FROM_REPOSITORY: 'yes' },
    }),
    '.mcp.json': JSON.stringify({
      mcpServers: { theirs: { command: 'sh', args: ['-c', 'touch mcp-started; cat'] } },
    }),
  }
  const scenarios: TestScenario[] = [
    {
      name: 'r',
      steps: [
        {
          tools: [
            bash('echo "env=$FROM_REPOSITORY"'),
            { name: 'Read', input: { file_path: 'sub/CLAUDE.md' } },
          ],
        },
        { text: 'Ran.' },
      ],
    },
  ]
  const ran = () =>
    ['start-hook', 'tool-hook', 'skill-hook', 'key-helper', 'status-line', 'mcp-started'].filter((name) =>
      existsSync(mark(name)),
    )
  const known = (one: TestAgent) => {
    const { commands = [], agents = [] } = one.all('agent.ready').at(-1) ?? {}
    return [
      ...commands.filter((name) => name === 'theirs'),
      ...agents.filter((name) => name === 'their-agent'),
    ]
  }
  const says = (text: string) => asked().some((body) => body.includes(text))

  test('by default its words count, and nothing of it is started', async () => {
    const one = await begin(scenarios, { files: repository })
    expect(await one.turn('run')).toMatchObject({ message: 'Ran.' })
    expect(await one.turn('/hooked')).toMatchObject({ message: 'Ran.' })
    expect(known(one)).toEqual(['theirs', 'their-agent'])
    expect([says('memory of the repository'), says('rules of the repository')]).toEqual([true, true])
    expect(one.all('tool.result').map(({ text }) => text)).toContain('env=')
    expect(ran()).toEqual([])
    expect(one.all('agent.mcp')).toEqual([])
  })

  test('without its configuration not even its words count', async () => {
    const one = await begin(scenarios, {
      files: repository,
      content: { excludedMemory: ['**/work/**'] },
      setup: { repository: { config: false, hooks: true, mcp: true } },
    })
    expect(await one.turn('run')).toMatchObject({ message: 'Ran.' })
    expect(known(one)).toEqual([])
    expect(await one.turn('again')).toMatchObject({ message: 'Ran.' })
    for (const word of ['memory of the repository', 'rules of the repository', 'nested skill of a part'])
      expect([word, says(word)]).toEqual([word, false])
    expect(ran()).toEqual([])
  })

  test('its hooks run where the project allows them, and its MCP servers do not', async () => {
    const one = await begin(scenarios, {
      files: repository,
      setup: { repository: { config: true, hooks: true, mcp: false } },
    })
    expect(await one.turn('run')).toMatchObject({ message: 'Ran.' })
    expect(ran()).toEqual(expect.arrayContaining(['start-hook', 'tool-hook']))
    expect(ran()).not.toContain('mcp-started')
  })

  test('its MCP servers are started where the project allows them, and its hooks do not run', async () => {
    const one = await begin(scenarios, {
      files: repository,
      setup: { repository: { config: true, hooks: false, mcp: true } },
    })
    await one.next('agent.mcp', ({ servers }) =>
      servers.some(({ name, origin }) => name === 'theirs' && origin === 'repository'),
    )
    expect(await one.turn('run')).toMatchObject({ message: 'Ran.' })
    expect(ran()).toContain('mcp-started')
    expect(ran().filter((name) => name.endsWith('-hook'))).toEqual([])
  })

  test('without a set-up directory the same holds', async () => {
    const one = await begin(scenarios, { files: repository, options: { setup: {} } })
    expect(await one.turn('run')).toMatchObject({ message: 'Ran.' })
    expect(known(one)).toEqual(['theirs', 'their-agent'])
    expect(ran().filter((name) => name.endsWith('-hook') || name === 'mcp-started')).toEqual([])
  })

  test('an added directory brings its words, commands and agents, and starts nothing', async () => {
    place = await createPlayground(scenarios)
    const added = join(dirname(place.cwd), 'flow')
    for (const [path, text] of Object.entries(repository)) await place.write(`../flow/${path}`, text)
    const one = await again({ setup: { added: [added] } })
    expect(await one.turn('run')).toMatchObject({ message: 'Ran.' })
    expect(known(one)).toEqual(['theirs', 'their-agent'])
    expect(says('memory of the repository')).toBe(true)
    expect(ran()).toEqual([])
  })
})

describe('options', () => {
  test('tools, effort, thinking and instructions reach the model; changed instructions count in the same conversation', async () => {
    const one = await begin([{ name: 'e', steps: [{ text: 'Yes.' }] }], {
      setup: { tools: ['Read', 'Bash'], effort: 'low', thinkingTokens: 2048 },
      options: { instructions: 'Speak like a sailor.', model: 'claude-sonnet-4-5' },
    })
    await one.turn('one')
    const tools = one.all('agent.ready').at(-1)?.tools ?? []
    expect(tools).toEqual(expect.arrayContaining(['Read', 'Bash']))
    expect(tools).not.toContain('Edit')
    expect(asked().at(-1)).toContain('Speak like a sailor.')
    expect(asked().at(-1)).toContain('"budget_tokens":2048')
    const conversation = one.all('agent.ready').at(-1)?.conversation
    await one.agent.close()
    const two = await again({
      options: { conversation, instructions: 'Speak like a poet.', model: 'claude-haiku-4-5' },
    })
    await two.turn('two')
    const last = place.model.requests.at(-1)
    expect(last?.model).toBe('claude-haiku-4-5')
    expect(asked().at(-1)).toContain('Speak like a poet.')
    expect(asked().at(-1)).not.toContain('sailor')
    expect(asked().at(-1)).toContain('one')
  })

  test('thinking can be turned off', async () => {
    const one = await begin([{ name: 'e', steps: [{ text: 'Yes.' }] }], {
      setup: { thinkingTokens: 0 },
      options: { model: 'claude-sonnet-4-5' },
    })
    await one.turn('one')
    expect(asked().at(-1)).not.toContain('budget_tokens')
  })

  test('the fallback model is asked while the model is overloaded', async () => {
    const one = await begin(
      [
        {
          name: 'o',
          when: { model: { contains: 'claude-main' } },
          steps: [{ fault: { kind: 'status', status: 529, times: 1_000_000 }, text: 'never' }],
        },
        { name: 'f', steps: [{ text: 'From the other one.' }] },
      ],
      { setup: { fallbackModel: 'claude-other-1' }, options: { model: 'claude-main-1' } },
    )
    expect(await one.turn('hi')).toMatchObject({ message: 'From the other one.' })
  })

  test('in plan mode changes wait until a person has approved the plan', async () => {
    const one = await begin(
      [
        {
          name: 'p',
          steps: [
            { tools: [bash('touch early')] },
            { tools: [{ name: 'ExitPlanMode', input: { plan: 'Make a file.' } }] },
            { tools: [bash('touch late')] },
            { text: 'Done.' },
          ],
        },
      ],
      { setup: { permissionMode: 'plan' } },
    )
    one.start('go')
    const early = await one.next('permission.requested', ({ tool }) => tool === 'Bash')
    expect(early.because).toContain('plan mode')
    one.agent.decide(early.request, { behavior: 'deny', interrupt: false })
    const plan = await one.next('permission.requested', ({ tool }) => tool === 'ExitPlanMode')
    one.agent.decide(plan.request, { behavior: 'allow', scope: 'once' })
    expect(await one.result()).toMatchObject({ message: 'Done.' })
    expect([existsSync(mark('early')), existsSync(mark('late'))]).toEqual([false, true])
  })

  test('edits in the workspace can be accepted where the rest is asked about', async () => {
    const one = await begin(
      [
        {
          name: 'w',
          steps: [
            { tools: [{ name: 'Write', input: { file_path: 'inside.txt', content: 'x' } }] },
            { tools: [{ name: 'Write', input: { file_path: '../outside.txt', content: 'x' } }] },
            { text: 'Done.' },
          ],
        },
      ],
      { options: { permissions: { allow: [], ask: [], deny: [], otherwise: 'ask', acceptEdits: true } } },
    )
    one.start('go')
    const request = await one.next('permission.requested')
    expect(JSON.stringify(request.input)).toContain('outside.txt')
    one.agent.decide(request.request, { behavior: 'deny', interrupt: false })
    expect(await one.result()).toMatchObject({ message: 'Done.' })
    expect(existsSync(mark('inside.txt'))).toBe(true)
  })
})

test('the list of things to do is told as it changes', async () => {
  const update = (taskId: string, status: string) => ({
    tools: [{ name: 'TaskUpdate', input: { taskId, status } }],
  })
  const create = (subject: string) => ({ name: 'TaskCreate', input: { subject, description: 'd' } })
  const one = await begin([
    {
      name: 't',
      steps: [
        { tools: [create('First'), create('Second')] },
        update('1', 'in_progress'),
        update('1', 'completed'),
        update('2', 'deleted'),
        { text: 'Done.' },
      ],
    },
  ])
  await one.turn('go')
  const lists = one.all('agent.todos').map(({ items }) => items.map(({ text, state }) => `${text} ${state}`))
  expect(lists).toEqual([
    ['First pending'],
    ['First pending', 'Second pending'],
    ['First in-progress', 'Second pending'],
    ['First completed', 'Second pending'],
    ['First completed'],
  ])
})

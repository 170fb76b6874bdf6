import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { AnyEvent } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { shoutingServer } from './support/mcp-server.ts'
import { git, sampleRepo } from './support/sample.ts'
import { create, ended, messageOf, setProject, setSession, turn } from './support/talk.ts'
import { project, withWorld } from './support/world.ts'

let parent: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-set-up-'))
})

afterAll(() => rm(parent, { recursive: true, force: true }))

const repository = async (name: string, files: Record<string, string>): Promise<string> => {
  const path = await sampleRepo(parent, name)
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true })
    await writeFile(join(path, file), text)
  }
  await git(path, 'add', '-A')
  await git(path, 'commit', '-qm', 'Set up')
  return path
}

describe('the set-up of agents', { timeout: 180_000 }, () => {
  it('[P61] command, skill, subagent, hook, MCP server and variables of a project all work in a session', () =>
    withWorld(async (world) => {
      await setProject(world, {
        commands: { hello: { description: 'Greets', prompt: 'echo: hello $ARGUMENTS' } },
        skills: { tidy: { description: 'How to tidy up', instructions: 'Sweep the floor.' } },
        agents: { reviewer: { description: 'Reviews', prompt: 'You review.' } },
        hooks: {
          PostToolUse: [
            { matcher: 'Bash', hooks: [{ type: 'command', command: 'echo hooked >> /tmp/hooked' }] },
          ],
        },
        mcpServers: { loud: { type: 'stdio', ...shoutingServer(), env: { MARK: '!' } } },
        env: { COLOUR: 'green' },
      })
      const id = await create(world, { prompt: 'run: echo $COLOUR' })
      const first = await world.until(id, ended)
      expect(messageOf(first)).toBe('green')
      const ready = first.find((event) => event.type === 'agent.ready')
      expect(ready).toMatchObject({
        data: {
          commands: expect.arrayContaining(['hello', 'tidy']),
          agents: expect.arrayContaining(['reviewer']),
        },
      })
      expect(messageOf(await turn(world, id, 'run: cat /tmp/hooked'))).toBe('hooked')
      expect(messageOf(await turn(world, id, '/hello Ada'))).toBe('hello Ada')
      expect(messageOf(await turn(world, id, 'use the skill tidy'))).toContain('tidy')
      expect(messageOf(await turn(world, id, 'run: cat /setup/.claude/skills/tidy/SKILL.md'))).toContain(
        'Sweep the floor.',
      )
      expect(messageOf(await turn(world, id, 'call mcp__loud__shout with good morning'))).toBe(
        'GOOD MORNING!',
      )
      const asked = await turn(world, id, 'ask the agent reviewer: echo: looks good')
      const parts = asked.flatMap((event) =>
        event.type === 'block.started' && event.data.parent !== undefined ? [event] : [],
      )
      expect(parts.length).toBeGreaterThan(0)
      const all = await world.events(id)
      expect(all.findLast((event) => event.type === 'agent.mcp')).toMatchObject({
        data: {
          servers: [{ name: 'loud', status: 'connected', origin: 'settings', tools: [{ name: 'shout' }] }],
        },
      })
      expect((await world.client.getSession({ params: { project, session: id } })).mcp).toEqual([
        { name: 'loud', status: 'connected' },
      ])
      checkLog(all)
    }))

  it('[P62] a repository’s hooks and MCP servers run only where its project allows them; its words count unless they may not', () =>
    withWorld(async (world) => {
      const url = await repository('own', {
        'CLAUDE.md': 'Be kind.',
        '.claude/commands/theirs.md': 'echo: theirs',
        '.claude/settings.json': JSON.stringify({
          hooks: { PreToolUse: [{ hooks: [{ type: 'command', command: 'touch /tmp/their-hook' }] }] },
          apiKeyHelper: 'touch /tmp/their-helper; echo key',
          env: { THEIRS: 'yes' },
        }),
        '.mcp.json': JSON.stringify({ mcpServers: { theirs: shoutingServer() } }),
      })
      const look = 'run: true; ls /tmp | grep their; echo "env=$THEIRS"'
      const knows = (events: readonly AnyEvent[]) => {
        const ready = events.findLast((event) => event.type === 'agent.ready')
        return ready?.type === 'agent.ready' && ready.data.commands?.includes('theirs')
      }
      const id = await create(world, { prompt: 'run: true', repositories: [{ url }] })
      expect(knows(await world.until(id, ended))).toBe(true)
      expect(messageOf(await turn(world, id, look))).toBe('env=')
      expect((await world.events(id)).some(({ type }) => type === 'agent.mcp')).toBe(false)
      await setProject(world, { repositoryHooks: true, repositoryMcp: true })
      const changed = await turn(world, id, 'call mcp__theirs__shout with now')
      expect(messageOf(changed)).toBe('NOW')
      expect(changed.find(({ type }) => type === 'agent.reconfigured')).toMatchObject({
        data: { changed: ['repositoryHooks', 'repositoryMcp'] },
      })
      expect(messageOf(await turn(world, id, look))).toContain('their-hook')
      expect((await world.events(id)).findLast(({ type }) => type === 'agent.mcp')).toMatchObject({
        data: { servers: [{ name: 'theirs', origin: 'repository' }] },
      })
      await setProject(world, { repositoryConfig: false })
      const without = await turn(world, id, look)
      expect(knows(without)).toBe(false)
      expect(messageOf(without)).toBe('env=')
      checkLog(await world.events(id))
    }))

  it('[P63] settings that change apply from the next turn on, in the same conversation', () =>
    withWorld(async (world) => {
      const id = await create(world, { prompt: 'echo: first', settings: { model: 'claude-sonnet-4-5' } })
      const before = await world.until(id, ended)
      await setSession(world, id, { model: 'claude-haiku-4-5' })
      const second = await turn(world, id, 'echo: second')
      const later = (await world.events(id)).slice(before.length)
      expect(later.find(({ type }) => type === 'agent.reconfigured')).toMatchObject({
        data: { changed: ['model'] },
      })
      const models = (events: readonly AnyEvent[]) =>
        events.flatMap((event) => (event.type === 'model.usage' ? [event.data.model] : []))
      expect(messageOf(second)).toBe('second')
      expect(new Set(models(before))).toEqual(new Set(['claude-sonnet-4-5']))
      expect(new Set(models(later))).toEqual(new Set(['claude-haiku-4-5']))
      expect(later.some(({ type }) => type === 'agent.exited')).toBe(false)
      await setSession(world, id, { instructions: 'Answer briefly.', env: { COLOUR: 'blue' } })
      expect(messageOf(await turn(world, id, 'run: echo $COLOUR'))).toBe('blue')
      const all = await world.events(id)
      const conversations = all.flatMap((event) =>
        event.type === 'agent.ready' ? [event.data.conversation] : [],
      )
      expect(new Set(conversations).size).toBe(1)
      expect(all.findLast(({ type }) => type === 'agent.reconfigured')).toMatchObject({
        data: { changed: ['instructions', 'env'] },
      })
      checkLog(all)
    }))
})

const workflow = (manifest: object | string, more: Record<string, string> = {}) => ({
  '.ambient/ambient.json': typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
  ...more,
})

describe('workflows', { timeout: 180_000 }, () => {
  it('[P64] a workflow gives words, commands, agents and a first prompt, and is switched in a live session', () =>
    withWorld(async (world) => {
      const one = await repository('flow-one', {
        'CLAUDE.md': 'Memory of flow one.',
        ...workflow(
          {
            name: 'One',
            description: 'The first',
            systemPrompt: 'You follow flow one.',
            startupPrompt: 'echo: begun',
            results: { Report: 'report.md' },
            other: 1,
          },
          {
            '.claude/commands/step.md': 'echo: step $ARGUMENTS of one',
            '.claude/agents/helper.md': '---\nname: helper\ndescription: Helps\n---\nYou help.',
            '.claude/settings.json': JSON.stringify({
              hooks: { PreToolUse: [{ hooks: [{ type: 'command', command: 'touch /tmp/flow-hook' }] }] },
            }),
            '.mcp.json': JSON.stringify({ mcpServers: { flow: shoutingServer() } }),
            'templates/plan.md': 'A plan.',
          },
        ),
      })
      const two = await repository('flow-two', {
        'inner/.ambient/ambient.json': JSON.stringify({ name: 'Two', startupPrompt: 'echo: never' }),
        'inner/.claude/commands/other.md': 'echo: other $ARGUMENTS',
      })
      const id = await create(world, { settings: { workflow: { url: one } } })
      const first = await world.until(id, ended)
      expect(messageOf(first)).toBe('begun')
      expect(first.find(({ type }) => type === 'prompt.queued')).toMatchObject({
        actor: { kind: 'backend', id: 'workflow' },
      })
      expect(first.find(({ type }) => type === 'workflow.loaded')).toMatchObject({
        data: {
          name: 'One',
          description: 'The first',
          url: one,
          commit: await git(one, 'rev-parse', 'HEAD'),
          results: { Report: 'report.md' },
        },
      })
      expect(first.find(({ type }) => type === 'agent.ready')).toMatchObject({
        data: { commands: expect.arrayContaining(['step']), agents: expect.arrayContaining(['helper']) },
      })
      expect(messageOf(await turn(world, id, '/step 2'))).toBe('step 2 of one')
      expect(
        messageOf(
          await turn(
            world,
            id,
            'run: cat /workflow/templates/plan.md; touch /workflow/x || echo refused; ls /tmp | grep flow-hook || echo none',
          ),
        ),
      ).toMatch(/A plan\..*Read-only.*refused\s+none$/s)
      await setSession(world, id, { workflow: { url: two, path: 'inner' } })
      const switched = await turn(world, id, '/other thing')
      expect(messageOf(switched)).toBe('other thing')
      const all = await world.events(id)
      expect(all.filter(({ type }) => type === 'workflow.loaded')).toMatchObject([
        { data: { name: 'One' } },
        { data: { name: 'Two', path: 'inner' } },
      ])
      expect(
        all.filter((event) => event.type === 'prompt.queued' && event.actor.id === 'workflow'),
      ).toHaveLength(1)
      const conversations = all.flatMap((event) =>
        event.type === 'agent.ready' ? [event.data.conversation] : [],
      )
      expect(new Set(conversations).size).toBe(1)
      checkLog(all)
    }))

  it('[P64] hooks and MCP servers of a workflow run where those of repositories may', () =>
    withWorld(async (world) => {
      await setProject(world, { repositoryHooks: true, repositoryMcp: true })
      const url = await repository(
        'flow-three',
        workflow(
          { name: 'Three' },
          {
            '.claude/settings.json': JSON.stringify({
              hooks: { PostToolUse: [{ hooks: [{ type: 'command', command: 'touch /tmp/flow-hook' }] }] },
            }),
            '.mcp.json': JSON.stringify({ mcpServers: { flow: shoutingServer() } }),
          },
        ),
      )
      const id = await create(world, {
        prompt: 'call mcp__flow__shout with hear me',
        settings: { workflow: { url } },
      })
      expect(messageOf(await world.until(id, ended))).toBe('HEAR ME')
      expect((await world.events(id)).findLast(({ type }) => type === 'agent.mcp')).toMatchObject({
        data: { servers: [{ name: 'flow', status: 'connected', origin: 'workflow' }] },
      })
      expect(messageOf(await turn(world, id, 'run: ls /tmp | grep flow-hook'))).toBe('flow-hook')
    }))

  it('[P64] one that can’t be used is told with the reason, and the session goes on without it', () =>
    withWorld(async (world) => {
      const broken = await repository('broken', workflow('{ "name": '))
      const wrong = await repository('wrong', workflow({ name: '', systemPrompt: 7, results: [] }))
      const none = await sampleRepo(parent, 'none')
      const large = await repository('large', {
        ...workflow({ name: 'Large' }),
        'big.bin': 'x'.repeat(65 * 1024 * 1024),
      })
      const cases: [{ url: string; path?: string; branch?: string }, RegExp][] = [
        [{ url: broken }, /ambient\.json is not valid JSON/],
        [{ url: wrong }, /name: .*systemPrompt: .*results: /s],
        [{ url: none }, /There is no \.ambient\/ambient\.json/],
        [{ url: wrong, path: 'nowhere' }, /no directory nowhere/],
        [{ url: wrong, branch: 'nowhere' }, /branch nowhere does not exist/],
        [{ url: large }, /too large/],
        [{ url: 'http://127.0.0.1:9/flow.git' }, /can’t be cloned/],
      ]
      const id = await create(world, { prompt: 'echo: hello', settings: { workflow: { url: none } } })
      expect(messageOf(await world.until(id, ended))).toBe('hello')
      for (const [source, says] of cases) {
        await setSession(world, id, { workflow: source })
        expect(messageOf(await turn(world, id, 'echo: still here'))).toBe('still here')
        const failed = (await world.events(id)).findLast(({ type }) => type === 'workflow.failed')
        expect(failed).toMatchObject({ data: { url: source.url, message: expect.stringMatching(says) } })
      }
      checkLog(await world.events(id))
    }))
})

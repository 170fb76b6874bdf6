import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNoSandbox, type Sandbox } from '@berth/sandbox'
import { afterEach, describe, expect, it } from 'vitest'
import { createLayout, makeDirectories } from '../layout.ts'
import type { AgentHome } from './agent-home.ts'
import { openBoxedHome } from './boxed-home.ts'
import { openDirectHome } from './direct-home.ts'

const conversation = '01234567-89ab-cdef-0123-456789abcdef'
const left: (() => void)[] = []
afterEach(() => {
  for (const leave of left.splice(0)) leave()
})

/** The program where it lies in this checkout, instead of an image. */
const fromHere = (sandbox: Sandbox): Sandbox => ({
  ...sandbox,
  spawn: (command) =>
    sandbox.spawn({
      ...command,
      args: command.args.map((one) =>
        one === '/opt/berth/home/main.ts' ? fileURLToPath(new URL('./main.ts', import.meta.url)) : one,
      ),
    }),
})

const open = async (kind: 'direct' | 'boxed') => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-home-'))
  const layout = createLayout({ sessionDirectory: directory, renames: false, doorSocket: '' })
  await makeDirectories(layout, directory)
  const boxed = openBoxedHome({ sandbox: fromHere(createNoSandbox()), layout })
  left.push(() => {
    boxed.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const home: AgentHome = kind === 'direct' ? openDirectHome(layout.outside.home) : boxed
  return { home, boxed, projects: join(layout.outside.home, '.claude/projects'), root: layout.outside.home }
}

describe.each(['direct', 'boxed'] as const)('the agent’s home, %s', (kind) => {
  it('has nothing in the beginning', async () => {
    const { home } = await open(kind)
    expect(await home.listConversation()).toEqual([])
    expect(await home.mend(conversation)).toBe(false)
    expect(await home.has(conversation, ['x'])).toBe(false)
    expect(await home.mcpLines()).toEqual([])
    expect(await home.readConversation('a/b.jsonl', { at: 0, length: 1 })).toBeUndefined()
  })

  it('gives back the conversation that was written, part by part', async () => {
    const { home, projects } = await open(kind)
    const path = `-workspace/${conversation}.jsonl`
    const [first, second] = [Buffer.alloc(200_000, 1), Buffer.from([0, 255, 10])]
    await home.writeConversation(path, 0, first)
    await home.writeConversation(path, first.length, second)
    await home.writeConversation('-workspace/empty', 0, Buffer.alloc(0))
    expect(await home.listConversation()).toEqual([
      { path, size: 200_003 },
      { path: '-workspace/empty', size: 0 },
    ])
    expect(await home.readConversation(path, { at: 199_999, length: 4 })).toEqual(
      Buffer.from([1, 0, 255, 10]),
    )
    expect(await home.readConversation(path, { at: 200_000, length: 4 })).toBeUndefined()
    expect(readFileSync(join(projects, path))).toEqual(Buffer.concat([first, second]))
    await home.clearConversation()
    expect(await home.listConversation()).toEqual([])
  })

  it('mends a transcript and looks for messages in it', async () => {
    const { home, projects } = await open(kind)
    mkdirSync(join(projects, '-workspace'), { recursive: true })
    const place = join(projects, '-workspace', `${conversation}.jsonl`)
    writeFileSync(place, '{"uuid":"one"}\n{"uuid":"tw')
    expect(await home.mend(conversation)).toBe(true)
    expect(readFileSync(place, 'utf8')).toBe('{"uuid":"one"}\n')
    expect(await home.has(conversation, ['two', 'one'])).toBe(true)
    expect(await home.has(conversation, ['two'])).toBe(false)
  })

  it('follows no link', async () => {
    const { home, projects, root } = await open(kind)
    mkdirSync(join(root, 'elsewhere'))
    writeFileSync(join(root, 'elsewhere/secret'), 'x')
    mkdirSync(projects, { recursive: true })
    symlinkSync(join(root, 'elsewhere'), join(projects, 'link'))
    expect(await home.listConversation()).toEqual([])
    expect(await home.readConversation('link/secret', { at: 0, length: 1 })).toBeUndefined()
  })

  it('tells what MCP servers wrote, once', async () => {
    const { home, root } = await open(kind)
    expect(await home.mcpLines()).toEqual([])
    const directory = join(root, '.cache/claude-cli-nodejs/-workspace/mcp-logs-tools')
    mkdirSync(directory, { recursive: true })
    const file = join(directory, '2999-01-01T00-00-00-000Z.jsonl')
    appendFileSync(file, `${JSON.stringify({ error: 'Server stderr: broken' })}\n`)
    expect(await home.mcpLines()).toEqual(['mcp tools: broken'])
    expect(await home.mcpLines()).toEqual([])
  })
})

it('asks once more when the program was lost', async () => {
  const { boxed } = await open('boxed')
  await boxed.writeConversation('a/b', 0, Buffer.from('x'))
  const asked = boxed.listConversation()
  boxed.close()
  expect(await asked).toEqual([{ path: 'a/b', size: 1 }])
})

import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CanUseTool,
  type Options,
  type Query,
  query,
  type SDKMessage,
} from '@anthropic-ai/claude-agent-sdk'
import { sampleRepository } from './load-scenarios.ts'

/** A private home and workspace for one real Claude Code. */
export interface Playground {
  home: string
  cwd: string
  remove(): Promise<void>
}

export async function createPlayground(options: { sampleAs?: string } = {}): Promise<Playground> {
  const root = await mkdtemp(join(tmpdir(), 'scripted-'))
  const place = { home: join(root, 'home'), cwd: join(root, 'work') }
  await Promise.all([mkdir(place.home), mkdir(place.cwd)])
  if (options.sampleAs !== undefined) {
    await cp(sampleRepository, join(place.cwd, options.sampleAs), { recursive: true })
  }
  return { ...place, remove: () => rm(root, { recursive: true, force: true, maxRetries: 5 }) }
}

const allowAll: CanUseTool = async (_tool, input) => ({ behavior: 'allow', updatedInput: input })

/** What a run of Claude Code is given. */
export interface ClaudeRun {
  url: string
  place: Playground
  prompt: string
  canUseTool?: CanUseTool
  env?: Record<string, string>
  options?: Options
}

async function* onePrompt(text: string) {
  yield {
    type: 'user' as const,
    message: { role: 'user' as const, content: text },
    parent_tool_use_id: null,
  }
}

/** Starts the real Claude Code with the smallest environment. */
export function startClaude(run: ClaudeRun): Query {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: run.place.home,
    ANTHROPIC_API_KEY: 'test-key',
    ANTHROPIC_BASE_URL: run.url,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    ...run.env,
  }
  return query({
    prompt: onePrompt(run.prompt),
    options: {
      cwd: run.place.cwd,
      env,
      canUseTool: run.canUseTool ?? allowAll,
      includePartialMessages: true,
      settingSources: [],
      ...run.options,
    },
  })
}

/** A finished run: all messages, and what a reader wants of them. */
export interface FinishedRun {
  messages: SDKMessage[]
  /** The final text. */
  result: string
  isError: boolean
  /** Tools in the order of their calls. */
  tools: string[]
  thoughts: string[]
}

function blocksOf(messages: readonly SDKMessage[]) {
  return messages.flatMap((message) => (message.type === 'assistant' ? message.message.content : []))
}

/** The SDK throws after an error result; the result itself is what tests look at. */
async function collect(stream: Query): Promise<SDKMessage[]> {
  const messages: SDKMessage[] = []
  try {
    for await (const message of stream) messages.push(message)
  } catch (error) {
    if (messages.at(-1)?.type !== 'result') throw error
  }
  return messages
}

/** Runs one prompt to its end. */
export async function runClaude(run: ClaudeRun): Promise<FinishedRun> {
  const messages = await collect(startClaude(run))
  const last = messages.findLast((message) => message.type === 'result')
  const blocks = blocksOf(messages)
  return {
    messages,
    result: last?.subtype === 'success' ? last.result : (last?.errors.join('\n') ?? ''),
    isError: last?.is_error ?? true,
    tools: blocks.flatMap((block) => (block.type === 'tool_use' ? [block.name] : [])),
    thoughts: blocks.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : [])),
  }
}

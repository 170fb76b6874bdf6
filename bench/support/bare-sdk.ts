import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { query } from '@anthropic-ai/claude-agent-sdk'

/** The baseline: the least program that sends one prompt with the Agent SDK. */
const home = await mkdtemp(join(tmpdir(), 'berth-bare-'))
const prompt = process.argv[2] ?? ''
const env = {
  PATH: process.env.PATH ?? '',
  HOME: home,
  ANTHROPIC_API_KEY: 'k',
  ANTHROPIC_BASE_URL: process.argv[3] ?? '',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
}
for await (const message of query({ prompt, options: { cwd: home, env, permissionMode: 'default' } }))
  if (message.type === 'result') break
process.exit(0)

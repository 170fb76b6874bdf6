import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { agentEnvironment } from './environment.ts'
import { claudeExecutable, executablePackages } from './executable.ts'

test('the environment holds what Claude Code needs and no secret', () => {
  const env = agentEnvironment({
    home: '/home/agent',
    path: '/usr/bin',
    door: { socket: '/run/door.sock' },
    extra: { TZ: 'UTC' },
  })
  expect(env).toEqual({
    PATH: '/usr/bin',
    HOME: '/home/agent',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    ANTHROPIC_UNIX_SOCKET: '/run/door.sock',
    ANTHROPIC_BASE_URL: 'http://gateway',
    ANTHROPIC_API_KEY: 'held-by-the-gateway',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_ENABLE_TODO_TOOLS: '1',
    CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD: '1',
    DISABLE_AUTOUPDATER: '1',
  })
})

test('finds the native Claude Code', () => {
  expect(existsSync(claudeExecutable())).toBe(true)
  expect(executablePackages('linux', 'arm64', true)[0]).toBe(
    '@anthropic-ai/claude-agent-sdk-linux-arm64-musl',
  )
  expect(executablePackages('darwin', 'arm64', false)).toEqual([
    '@anthropic-ai/claude-agent-sdk-darwin-arm64',
  ])
})

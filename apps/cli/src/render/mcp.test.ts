import { expect, test } from 'vitest'
import { plain } from '../terminal/style.ts'
import { renderMcp } from './mcp.ts'

const view = { width: 60, style: plain }

test('servers come with status, origin, error and tools, and nothing of theirs moves the cursor', () => {
  const text = renderMcp(
    [
      {
        name: 'docs',
        status: 'connected',
        origin: 'settings',
        tools: [{ name: 'search' }, { name: 'read\u001b[2J' }],
      },
      { name: 'theirs', status: 'failed', origin: 'repository', error: 'It ended\nat once.', tools: [] },
      { name: 'off', status: 'disabled', tools: [] },
    ],
    view,
  )
  expect(text.split('\n').map((line) => line.trimEnd())).toEqual([
    'connected  docs',
    expect.stringContaining('search, read'),
    'failed     theirs (of the repository)',
    '           It ended at once.',
    'disabled   off',
  ])
  expect(text).not.toContain('\u001b')
})

test('a session without servers says so', () => {
  expect(renderMcp([], view)).toBe('This session has no MCP servers.')
})

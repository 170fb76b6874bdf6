import { builtInScenarios } from '@berth/scripted-model'
import { expect, test, vi } from 'vitest'
import { tokenOf } from '../fixtures/fake-home.ts'
import { createRig } from '../fixtures/runner-process.ts'

const timeout = 90_000

/** Ends Claude Code in a way on which it says its last words. */
const crash =
  'for p in $(ls /proc); do case "$(readlink /proc/$p/exe)" in */claude) kill -SEGV $p; sleep 60;; esac; done'

test('[P75] the log goes home, from before the hello to the last line, without the token', {
  timeout,
}, async () => {
  const rig = await createRig({ scenarios: builtInScenarios })
  try {
    const { home } = rig
    const token = tokenOf(home.generation)
    home.deaf = true
    // The operator sees what they asked for, and no more.
    const runner = rig.start({ BERTH_LOG_LEVEL: 'error' })
    await vi.waitFor(() => expect(home.refused).toBeGreaterThan(0), { timeout: 30_000 })
    home.deaf = false
    await rig.prompt(`run: ${crash}`).ended
    home.append('session.stop_requested', { reason: 'user' })
    expect((await runner.exited).code).toBe(0)
    const texts = (source: string) =>
      home.lines.filter((line) => line.source === source).map(({ text }) => text)
    expect(texts('agent')).toContainEqual(expect.stringMatching(/^Bun v\d/))
    expect(texts('runner')[0]).toMatch(/^starting /)
    expect(texts('runner').at(-1)).toBe('ended {"code":0}')
    expect(JSON.stringify(home.lines)).not.toContain(token)
    expect(runner.output()).toBe('')
  } finally {
    await rig.close()
  }
})

test('what MCP servers write to their error output is in it', { timeout }, async () => {
  const args = ['-c', 'echo "the database is gone" >&2; exit 1']
  const db = { type: 'stdio', command: 'sh', args, env: {} } as const
  const rig = await createRig({ scenarios: builtInScenarios, settings: { mcpServers: { db } } })
  try {
    rig.start({ BERTH_LOG_LEVEL: 'error' })
    await vi.waitFor(
      () => expect(rig.home.lines.map(({ text }) => text)).toContain('mcp db: the database is gone'),
      { timeout: 60_000 },
    )
  } finally {
    await rig.close()
  }
})

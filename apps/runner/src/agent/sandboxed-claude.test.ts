import { describe, expect, it } from 'vitest'
import { createLayout } from '../layout.ts'
import { agentMounts } from './sandboxed-claude.ts'

describe('what the agent’s sandbox shows', () => {
  const layout = createLayout({
    sessionDirectory: '/data/ses',
    renames: true,
    doorSocket: '/tmp/d/door.sock',
  })
  const mounts = agentMounts({ layout, executable: '/app/node_modules/claude/claude' })

  it('is writable only where nothing is trusted (S9, S13)', () => {
    expect(mounts.filter(({ mode }) => mode === 'rw').map(({ path }) => path)).toEqual([
      layout.outside.workspace,
      layout.outside.home,
    ])
  })

  it('has nothing of what the runner keeps for itself', () => {
    const { outbox, state, clones, shadow } = layout.outside
    for (const own of [outbox, state, clones, shadow, '/data/ses', '/data/ses/tmp'])
      expect(mounts.filter(({ path }) => own === path || own.startsWith(`${path}/`))).toEqual([])
  })
})

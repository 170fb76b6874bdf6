import { platformSettings } from '@berth/contract'
import { expect, test } from 'vitest'
import { changedSettings } from './changed-settings.ts'

test('names what differs for the agent, and nothing that concerns only the runner', () => {
  const after = { ...platformSettings, model: 'claude-x', env: { A: '1' }, turnMinutes: 5, idleMinutes: 1 }
  expect(changedSettings(platformSettings, after)).toEqual(['model', 'env'])
  expect(changedSettings(after, structuredClone(after))).toEqual([])
})

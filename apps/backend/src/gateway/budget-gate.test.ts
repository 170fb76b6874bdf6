import { BerthError, type SessionState } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { Command } from '../session/command.ts'
import { backendActor, decide } from '../session/decide.ts'
import * as at from '../session/fixtures/situations.ts'
import { settingsResolver } from '../session/operator-settings.ts'
import { readSpending } from '../session/read-spending.ts'
import { checkBudget } from './budget-gate.ts'

/** A session at work that used a dollar, and a project whose settings somebody changes at each try. */
const open = (limits: number[]) => {
  const used = { model: 'm', inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
  const data = { ...used, costUsd: 1, durationMs: 0, partial: false }
  let state: SessionState = at.run(at.stateIn('working'), { kind: 'usage', actor: backendActor, data }).state
  let version = 0
  const world = { tries: 0, state: () => state }
  const store = {
    projectSettings: async () => ({ settings: { budgetUsd: limits[version] }, settingsVersion: version }),
    budgetUse: async () => {
      throw new Error('nothing is limited')
    },
  }
  const run = async ({ command, settingsVersion }: { command: Command; settingsVersion?: number }) => {
    world.tries += 1
    if (version < limits.length - 1) version += 1
    if (settingsVersion !== version) throw new BerthError('version_mismatch', 'They changed.')
    state = decide(state, command, { at: at.at, turn: 'trn_x' }).state
    return { state } as never
  }
  const service = { run, state: async () => state, settingsOf: settingsResolver() }
  const options = { store, now: () => Date.parse(at.at), service }
  const check = async () => {
    const project = await readSpending(options, { project: 'p', user: 'ada' }, options.now())
    const runner = { session: state.summary.id, project: 'p', generation: 1, current: true }
    return checkBudget(options, runner, { state, project })
  }
  return { world, check }
}

describe('checkBudget', () => {
  it('pauses nothing when the limit was raised before the pause was stored', async () => {
    const { world, check } = open([0.5, 2])
    expect(await check()).toBeUndefined()
    expect(world.tries).toBe(1)
    expect(world.state().summary).toMatchObject({ desired: 'running', turn: {} })
    expect(world.state().summary.turn?.paused).toBeUndefined()
  })

  it('pauses under the settings that count in the end', async () => {
    const { world, check } = open([0.5, 0.4, 0.3])
    expect(await check()).toMatchObject({ paused: at.turns[0], message: expect.stringContaining('$0.3') })
    expect(world.tries).toBe(3)
    // The same again asks nothing and pauses nothing anew.
    expect(await check()).toMatchObject({ paused: at.turns[0] })
    expect(world.tries).toBe(3)
  })

  it('gives up on settings that never rest', async () => {
    const { world, check } = open(Array.from({ length: 50 }, () => 0.5))
    await expect(check()).rejects.toMatchObject({ code: 'version_mismatch' })
    expect(world.tries).toBe(5)
    expect(world.state().summary.turn?.paused).toBeUndefined()
  })
})

import { BerthError } from '@berth/contract'
import { pino } from 'pino'
import { describe, expect, it, vi } from 'vitest'
import type { Command } from '../session/command.ts'
import { settingsResolver } from '../session/operator-settings.ts'
import { Ledger, type Metered } from './ledger.ts'

const usage = (outputTokens: number): Metered => ({
  project: 'p',
  data: {
    user: 'ada',
    request: `request-${outputTokens}`,
    model: 'm',
    inputTokens: 0,
    outputTokens,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: 1,
    durationMs: 1,
    partial: false,
  },
})

/** A ledger over a store that fails as it is told. */
const open = () => {
  const stored: number[] = []
  const lines: { seq: number; json: string }[] = []
  const world = { failure: undefined as Error | undefined, answers: true, stored }
  const run = async ({ command }: { command: Command }) => {
    if (world.failure !== undefined) throw world.failure
    if (command.kind === 'usage') {
      stored.push(command.data.outputTokens)
      lines.push({ seq: lines.length, json: JSON.stringify(command) })
    }
    if (!world.answers) throw new BerthError('unavailable', 'The connection broke off.')
    return undefined as never
  }
  const store = {
    projectSettings: async () => undefined,
    budgetUse: async () => {
      throw new Error('nothing is limited')
    },
    eventsOfType: async () => lines,
  }
  const log = pino({ level: 'silent' })
  return {
    world,
    ledger: new Ledger({
      service: { run, settingsOf: settingsResolver() },
      store,
      now: () => 0,
      log,
      retryMs: 5,
    }),
  }
}

const full = new BerthError('storage_full', 'The disk is full.')

describe('what can’t be stored', () => {
  it('is kept and stored once, in its order, before the session asks again', async () => {
    const { world, ledger } = open()
    world.failure = full
    await ledger.add('a', usage(1))
    await ledger.add('a', usage(2))
    await ledger.add('b', usage(3))
    expect(ledger.owed('a')).toBe(Number.POSITIVE_INFINITY)
    await expect(ledger.settle('a')).rejects.toBe(full)
    await expect(ledger.settle('c')).resolves.toBeUndefined()
    world.failure = undefined
    await Promise.all([ledger.settle('a'), ledger.settle('a')])
    expect(world.stored).toEqual([1, 2])
    await ledger.settle('a')
    await ledger.settle('b')
    expect(world.stored).toEqual([1, 2, 3])
  })

  it('is stored as soon as it can be, though its session never asks this backend again', async () => {
    const { world, ledger } = open()
    world.failure = full
    await ledger.add('a', usage(1))
    await ledger.add('b', usage(2))
    world.failure = undefined
    await vi.waitFor(() => expect(world.stored).toEqual([1, 2]), 20_000)
  })

  it('is not stored twice when only the answer was lost, and not lost when the backend ends', async () => {
    const { world, ledger } = open()
    world.answers = false
    await ledger.add('a', usage(1))
    world.failure = full
    await ledger.add('a', usage(2))
    Object.assign(world, { answers: true, failure: undefined })
    await ledger.close()
    expect(world.stored).toEqual([1, 2])
  })

  it('is waited for while it is being counted', async () => {
    const { world, ledger } = open()
    const counted = ledger.expect('a')
    expect([ledger.owed('a'), ledger.owed('b')]).toEqual([1, 0])
    const settled = ledger.settle('a').then(() => world.stored.length)
    await ledger.settle('b')
    await ledger.add('a', usage(1))
    counted()
    expect(await settled).toBe(1)
    expect(ledger.owed('a')).toBe(0)
  })

  it('is forgotten with its session', async () => {
    const { world, ledger } = open()
    world.failure = full
    await ledger.add('a', usage(1))
    world.failure = new BerthError('session_not_found', 'Purged.')
    await ledger.settle('a')
    world.failure = undefined
    await ledger.settle('a')
    expect(world.stored).toEqual([])
  })
})

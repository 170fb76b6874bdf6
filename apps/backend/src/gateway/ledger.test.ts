import { BerthError } from '@berth/contract'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { Command } from '../session/command.ts'
import { Ledger } from './ledger.ts'

const usage = (outputTokens: number): Extract<Command, { kind: 'usage' }> => ({
  kind: 'usage',
  actor: { kind: 'backend', id: 'gateway' },
  data: {
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
  const world = { failure: undefined as Error | undefined, stored }
  const run = async ({ command }: { command: Command }) => {
    if (world.failure !== undefined) throw world.failure
    if (command.kind === 'usage') stored.push(command.data.outputTokens)
    return undefined as never
  }
  return { world, ledger: new Ledger({ service: { run }, log: pino({ level: 'silent' }) }) }
}

const full = new BerthError('storage_full', 'The disk is full.')

describe('what can’t be stored', () => {
  it('is kept and stored once, in its order, before the session asks again', async () => {
    const { world, ledger } = open()
    world.failure = full
    await ledger.add('a', usage(1))
    await ledger.add('a', usage(2))
    await ledger.add('b', usage(3))
    await expect(ledger.settle('a')).rejects.toBe(full)
    await expect(ledger.settle('c')).resolves.toBeUndefined()
    world.failure = undefined
    await Promise.all([ledger.settle('a'), ledger.settle('a')])
    expect(world.stored).toEqual([1, 2])
    await ledger.settle('a')
    await ledger.settle('b')
    expect(world.stored).toEqual([1, 2, 3])
  })

  it('is waited for while it is being counted', async () => {
    const { world, ledger } = open()
    const counted = ledger.expect('a')
    const settled = ledger.settle('a').then(() => world.stored.length)
    await ledger.settle('b')
    await ledger.add('a', usage(1))
    counted()
    expect(await settled).toBe(1)
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

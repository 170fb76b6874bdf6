import { type RunnerFactBody, turnMessageUuid } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { type AgentKeeper, keepAgent } from '../agent/keeper.ts'
import type { AgentExit, AgentLaunch, LiveAgent } from '../agent/live-agent.ts'
import { turn } from '../fixtures/place.ts'
import { createTurns, type Turns, type TurnsOptions } from './turns.ts'

/** An agent whose every move the test makes. */
const createFakeAgent = (launch: AgentLaunch) => {
  const ready = Promise.withResolvers<void>()
  const exited = Promise.withResolvers<AgentExit>()
  const given: { uuid: string; text: string }[] = []
  let interrupts = 0
  ready.promise.catch(() => undefined)
  const exit = (reason: AgentExit['reason'] = 'crashed') => {
    ready.reject(new Error('gone'))
    exited.resolve({ reason, message: `It ${reason}.` })
  }
  const live: LiveAgent = {
    lost: Promise.resolve(false),
    ready: ready.promise,
    conversation: launch.conversation ?? 'conversation',
    startTurn: ({ uuid, content: [first] }) =>
      given.push({ uuid, text: first?.type === 'text' ? first.text : '' }),
    setModel: async () => undefined,
    interrupt: async () => {
      interrupts += 1
    },
    decide: () => undefined,
    answer: () => undefined,
    close: async () => exit('exited'),
    kill: () => exit('killed'),
    exited: exited.promise,
    usage: () => undefined,
  }
  const result = (kind: 'success' | 'interrupted' = 'success') =>
    launch.onTurnResult({ turn, result: kind, message: 'Done.', steps: 1 })
  return { live, given, result, exit, ready: () => ready.resolve(), interrupts: () => interrupts }
}

type FakeAgent = ReturnType<typeof createFakeAgent>

const open = (more: Partial<TurnsOptions> = {}) => {
  const agents: FakeAgent[] = []
  const facts: RunnerFactBody[] = []
  const transcript = new Set<string>()
  const unusable: AgentExit[] = []
  const saved: string[] = []
  let turns: Turns
  const keeper: AgentKeeper = keepAgent({
    launch: (launch) => {
      const agent = createFakeAgent(launch)
      agents.push(agent)
      return agent.live
    },
    conversation: undefined,
    canResume: async () => true,
    onLost: () => undefined,
    onTurnResult: (result) => turns.onTurnResult(result),
    onExit: ({ message }) => turns.onAgentExit(message),
    onUnusable: (exit) => unusable.push(exit),
  })
  turns = createTurns({
    keeper,
    prompt: async (seq) => [{ type: 'text', text: `prompt ${seq}` }],
    transcriptHas: async (_conversation, uuids) => uuids.some((uuid) => transcript.has(uuid)),
    continuation: () => 'go on',
    save: async (id) => void saved.push(id),
    emit: (body) => void facts.push(body),
    refresh: async () => undefined,
    turnMinutes: () => 60,
    now: () => 0,
    ...more,
  })
  const agent = async (index: number) => {
    await expect.poll(() => agents.length).toBeGreaterThan(index)
    return agents[index] as FakeAgent
  }
  const given = async (index: number) => {
    const it = await agent(index)
    await expect.poll(() => it.given.length).toBe(1)
    return it.given[0]
  }
  const ended = async () => {
    await expect.poll(() => facts.length).toBe(1)
    return facts[0]?.data
  }
  return { keeper, turns, agents, facts, transcript, unusable, saved, agent, given, ended }
}

const started = (attempt = 1) => ({ turn, prompt: turn.replace('trn', 'prm'), promptSeq: 7, attempt })
const interrupted = { result: 'interrupted', code: 'interrupted', message: 'Interrupted.' } as const

describe('turns', () => {
  it('give the prompt to a ready agent once, and end saved', async () => {
    const it = open()
    it.turns.start(started())
    it.turns.start(started())
    const agent = await it.agent(0)
    agent.ready()
    expect(await it.given(0)).toEqual({ uuid: turnMessageUuid(turn, 1), text: 'prompt 7' })
    expect(it.turns.current).toBe(turn)
    agent.result()
    expect(await it.ended()).toMatchObject({
      turn,
      attempt: 1,
      result: 'success',
      message: 'Done.',
      steps: 1,
    })
    expect(it.saved).toEqual([turn])
    expect(it.turns.current).toBeUndefined()
  })

  it.each([
    [true, 'go on'],
    [false, 'prompt 7'],
  ])('after another runner: is the prompt in the transcript? %s', async (there, text) => {
    const it = open()
    if (there) it.transcript.add(turnMessageUuid(turn, 1))
    it.turns.start(started(2))
    ;(await it.agent(0)).ready()
    expect(await it.given(0)).toEqual({ uuid: turnMessageUuid(turn, 2), text })
  })

  it('go on once when the agent dies, with a message of its own, and fail the second time', async () => {
    const it = open()
    it.turns.start(started())
    const first = await it.agent(0)
    first.ready()
    const { uuid } = (await it.given(0)) ?? { uuid: '' }
    it.transcript.add(uuid)
    first.exit('out-of-memory')
    const second = await it.agent(1)
    second.ready()
    const again = await it.given(1)
    expect(again?.text).toBe('go on')
    expect(again?.uuid).not.toBe(uuid)
    second.exit()
    expect(await it.ended()).toMatchObject({ result: 'failed', code: 'agent-crashed' })
  })

  it('end interrupted by the agent’s word', async () => {
    const it = open()
    it.turns.start(started())
    const agent = await it.agent(0)
    agent.ready()
    await it.given(0)
    it.turns.end(turn, interrupted)
    it.turns.end(turn, interrupted)
    expect(agent.interrupts()).toBe(1)
    agent.result('interrupted')
    expect(await it.ended()).toMatchObject({
      result: 'interrupted',
      code: 'interrupted',
      message: 'Interrupted.',
    })
  })

  it('end as a success when the interrupt came too late', async () => {
    const it = open()
    it.turns.start(started())
    const agent = await it.agent(0)
    agent.ready()
    await it.given(0)
    it.turns.end(turn, interrupted)
    agent.result('success')
    expect(await it.ended()).toMatchObject({ result: 'success', message: 'Done.' })
  })

  it('end without the agent when it has not got the prompt, or says nothing', async () => {
    const early = open()
    early.turns.start(started())
    early.turns.end(turn, interrupted)
    expect(await early.ended()).toMatchObject({ result: 'interrupted' })
    const late = open({ interruptMs: 10 })
    late.turns.start(started())
    ;(await late.agent(0)).ready()
    await late.given(0)
    late.turns.end(turn, interrupted)
    expect(await late.ended()).toMatchObject({ result: 'interrupted' })
    await late.agent(1)
  })

  it('end failed when the prompt can’t be had', async () => {
    const it = open({ prompt: () => Promise.reject(new Error('no blob')) })
    it.turns.start(started())
    ;(await it.agent(0)).ready()
    expect(await it.ended()).toMatchObject({
      result: 'failed',
      code: 'not-delivered',
      message: expect.stringContaining('no blob'),
    })
  })

  it('stop with the session, and when none runs there is nothing to wait for', async () => {
    const it = open()
    await it.turns.stop(interrupted)
    it.turns.start(started())
    const stopped = it.turns.stop({ ...interrupted, code: 'stopped' })
    await stopped
    expect(it.facts).toMatchObject([{ data: { result: 'interrupted', code: 'stopped' } }])
  })
})

describe('the keeper', () => {
  it('gives up on an agent that never becomes ready, and before that on its conversation', async () => {
    const it = open()
    for (const index of [0, 1, 2, 3, 4, 5]) (await it.agent(index)).exit()
    await expect.poll(() => it.unusable).toHaveLength(1)
    await expect(it.keeper.ready()).rejects.toThrow('It crashed.')
    expect(it.agents).toHaveLength(6)
  })

  it('starts over counting when one was ready', async () => {
    const it = open()
    for (const index of [0, 1, 2, 3]) {
      const agent = await it.agent(index)
      agent.ready()
      await it.keeper.ready()
      agent.exit()
    }
    await it.agent(4)
    expect(it.unusable).toEqual([])
  })

  it('starts none after its end', async () => {
    const it = open()
    await it.agent(0)
    await it.keeper.close()
    await new Promise(setImmediate)
    expect(it.agents).toHaveLength(1)
    await expect(it.keeper.ready()).rejects.toThrow('ended with its session')
  })
})

describe('a turn that is paused', () => {
  it('is interrupted and saved, and does not end', async () => {
    const world = open()
    world.turns.start(started())
    ;(await world.agent(0)).ready()
    await world.given(0)
    world.turns.pause(turn)
    const [agent] = world.agents
    await expect.poll(() => agent?.interrupts()).toBe(1)
    const stopped = world.turns.stop(interrupted)
    agent?.result('interrupted')
    await stopped
    expect(world.saved).toEqual([turn])
    expect(world.facts).toEqual([])
    expect(world.turns.current).toBeUndefined()
  })

  it('ends all the same when the agent was done before', async () => {
    const world = open()
    world.turns.start(started())
    ;(await world.agent(0)).ready()
    await world.given(0)
    world.turns.pause(turn)
    world.agents[0]?.result('success')
    expect(await world.ended()).toMatchObject({ result: 'success' })
  })

  it('is not taken up again when the agent dies of it', async () => {
    const world = open()
    world.turns.start(started())
    ;(await world.agent(0)).ready()
    await world.given(0)
    world.turns.pause(turn)
    world.agents[0]?.exit()
    await expect.poll(() => world.saved).toEqual([turn])
    expect(world.facts).toEqual([])
  })

  it('goes on with the reason of the pause, not with a loss', async () => {
    const told: unknown[] = []
    const world = open({
      continuation: (...said) => {
        told.push(said)
        return 'go on'
      },
    })
    world.transcript.add(turnMessageUuid(turn, 1))
    world.turns.start({ ...started(2), paused: 'budget' })
    ;(await world.agent(0)).ready()
    expect(await world.given(0)).toMatchObject({ text: 'go on' })
    expect(told).toEqual([['', 'budget']])
  })

  it('is another one: nothing happens', async () => {
    const world = open()
    world.turns.start(started())
    ;(await world.agent(0)).ready()
    await world.given(0)
    world.turns.pause(turn.replace(/.$/, '9'))
    world.agents[0]?.result()
    expect(await world.ended()).toMatchObject({ result: 'success' })
    expect(world.agents[0]?.interrupts()).toBe(0)
  })
})

import type { RunnerFactBody } from '@berth/contract'
import { expect, it } from 'vitest'
import * as at from './fixtures/situations.ts'

const loaded = (startupPrompt?: string): RunnerFactBody => ({
  type: 'workflow.loaded',
  data: { name: 'Review', url: '/srv/flow', commit: 'c0ffee', startupPrompt },
})

const queued = (situation: at.Situation, n: number, ...facts: RunnerFactBody[]) => {
  const { events } = at.run(at.stateIn(situation), at.facts({ generation: 1, n }, ...facts))
  return events.flatMap((event) => (event.type === 'prompt.queued' ? [event] : []))
}

it('[P64] a workflow’s first prompt is queued once, by the backend, for a session that has had none', () => {
  const [prompt, ...more] = queued('starting', 1, at.started, loaded('Begin.'), at.ready, loaded('Begin.'))
  expect(prompt).toMatchObject({
    actor: { kind: 'backend', id: 'workflow' },
    data: { prompt: expect.stringMatching(/^prm_/), content: [{ type: 'text', text: 'Begin.' }] },
  })
  expect(more).toEqual([])
  expect(queued('starting', 1, at.started, loaded())).toEqual([])
})

it('[P64] a session that works already gets none', () => {
  expect(queued('working', 3, loaded('Begin.'))).toEqual([])
})

it('[P64] its turn starts as soon as the agent is ready', () => {
  const { events } = at.run(
    at.stateIn('starting'),
    at.facts({ generation: 1, n: 1 }, at.started, loaded('Begin.'), at.ready),
  )
  expect(events.map(({ type }) => type).slice(-2)).toEqual(['agent.ready', 'turn.started'])
})

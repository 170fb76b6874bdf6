import { builtInScenarios, createScriptedModel, loadScenarios } from '@berth/scripted-model'
import { processesNaming } from '../../test/support/processes.ts'
import { project, type World, withWorld } from '../../test/support/world.ts'
import { type Figure, percentile } from '../figure.ts'

type Model = ReturnType<typeof createScriptedModel>

const rounds = 5
/** Minutes: just over a second. */
const idleMinutes = 0.02

interface Times {
  asleep: number[]
  awake: number[]
  processes: number[]
}

const ended = ({ type }: { type: string }) => type === 'turn.ended'

const once = async (world: World, model: Model, times: Times): Promise<void> => {
  const { client } = world
  const body = { prompt: 'write notes.md: hello', settings: { idleMinutes } }
  const { id: session } = await client.createSession({ params: { project }, body })
  const asleep = () => world.settled(session, ({ status }) => status.phase === 'stopped')
  await world.until(session, ended)
  await asleep()
  const events = await world.events(session)
  const at = (type: string) => Date.parse(events.findLast((event) => event.type === type)?.at ?? '')
  times.asleep.push(at('generation.ended') - at('session.stop_requested'))
  times.processes.push((await processesNaming(session)).length)
  const text = `echo: awake ${Date.now()}`
  const sent = performance.now()
  const { seq } = await client.createPrompt({ params: { project, session }, body: { content: text } })
  await model.waitForRequest(
    (request) => request.path.startsWith('/v1/messages') && JSON.stringify(request.body).includes(text),
    { timeoutMs: 60_000 },
  )
  times.awake.push(performance.now() - sent)
  await world.until(session, ended, { after: seq })
  await asleep()
}

/** DESIGN: hibernated: no process; prompt → first model request ≤ 2 s. */
export const hibernate: Figure = {
  name: 'hibernate',
  about: 'the real Claude Code falls asleep with a conversation and a changed file, and a prompt wakes it',
  run: async () => {
    const model = createScriptedModel({ scenarios: await loadScenarios(builtInScenarios) })
    const { url, close } = await model.listen()
    const times: Times = { asleep: [], awake: [], processes: [] }
    await withWorld(
      async (world) => {
        for (let round = 0; round <= rounds; round++) await once(world, model, times)
      },
      { ANTHROPIC_API_KEY: 'bench', ANTHROPIC_BASE_URL: url },
    )
    await close()
    const [asleep = 0, awake = 0] = [times.asleep, times.awake].map((list) => percentile(list.slice(1), 0.5))
    const worst = Math.max(...times.awake.slice(1))
    return [
      { what: 'idle for long enough → no runner', value: asleep, unit: 'ms' },
      {
        what: 'processes of a session asleep',
        value: Math.max(...times.processes),
        unit: '',
        goal: { atMost: 0 },
      },
      {
        what: 'prompt to one asleep → first request',
        value: awake,
        unit: 'ms',
        goal: { atMost: 2000 },
        note: `worst ${Math.round(worst)} ms`,
      },
    ]
  },
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { builtInScenarios, createScriptedModel, loadScenarios } from '@berth/scripted-model'
import { project, type World, withWorld } from '../../test/support/world.ts'
import { type Figure, percentile, type Row } from '../figure.ts'

const bareProgram = fileURLToPath(new URL('../support/bare-sdk.ts', import.meta.url))
const rounds = 5

type Model = ReturnType<typeof createScriptedModel>

/** When the first request with this text in its body came, on this process's clock. */
const firstRequest = async (model: Model, text: string): Promise<number> => {
  await model.waitForRequest(
    (request) => request.path.startsWith('/v1/messages') && JSON.stringify(request.body).includes(text),
    { timeoutMs: 60_000 },
  )
  return performance.now()
}

const bareOnce = async (model: Model, url: string, round: number): Promise<number> => {
  const text = `echo: bare ${round} ${Date.now()}`
  const started = performance.now()
  const child = spawn(process.execPath, [bareProgram, text, url], { stdio: 'inherit' })
  const ms = (await firstRequest(model, text)) - started
  await once(child, 'exit')
  return ms
}

interface Times {
  cold: number[]
  warm: number[]
  init: number[]
}

const sessionOnce = async (world: World, model: Model, times: Times): Promise<void> => {
  const cold = `echo: cold ${Date.now()}`
  const started = performance.now()
  const { id: session } = await world.client.createSession({ params: { project }, body: { prompt: cold } })
  times.cold.push((await firstRequest(model, cold)) - started)
  const events = await world.until(session, (event) => event.type === 'turn.ended')
  const at = (type: string) => Date.parse(events.find((event) => event.type === type)?.at ?? '')
  times.init.push(at('agent.ready') - at('generation.started'))
  const warm = `echo: warm ${Date.now()}`
  const sent = performance.now()
  await world.client.createPrompt({ params: { project, session }, body: { content: warm } })
  times.warm.push((await firstRequest(model, warm)) - sent)
  await world.until(session, (event) => event.type === 'turn.ended', { after: events.at(-1)?.seq ?? 0 })
  await world.client.stopSession({ params: { project, session } })
  await world.settled(session, ({ status }) => status.phase === 'stopped')
}

const median = (values: number[]) => percentile(values, 0.5)

/** DESIGN: POST → first model request ≤ 1.3 × a bare program; runner → init ≤ 1.2 s; prompt to an idle session ≤ 150 ms. */
export const sessionStart: Figure = {
  name: 'session-start',
  about: 'the real Claude Code in the real sandbox, one session after the other',
  run: async () => {
    const model = createScriptedModel({ scenarios: await loadScenarios(builtInScenarios) })
    const { url, close } = await model.listen()
    const times: Times = { cold: [], warm: [], init: [] }
    const bare: number[] = []
    await withWorld(
      async (world) => {
        for (let round = 0; round <= rounds; round++) {
          bare.push(await bareOnce(model, url, round))
          await sessionOnce(world, model, times)
        }
      },
      { ANTHROPIC_API_KEY: 'bench', ANTHROPIC_BASE_URL: url },
    )
    await close()
    const [base, cold, init, warm] = [bare, times.cold, times.init, times.warm].map((list) =>
      median(list.slice(1)),
    )
    const rows: Row[] = [
      { what: 'bare SDK program: start → first request', value: base ?? 0, unit: 'ms' },
      {
        what: 'POST session → first request, against it',
        value: (cold ?? 0) / (base ?? 1),
        unit: '×',
        goal: { atMost: 1.3 },
        note: `${Math.round(cold ?? 0)} ms`,
      },
      {
        what: 'runner asked for → Claude Code is ready',
        value: init ?? 0,
        unit: 'ms',
        goal: { atMost: 1200 },
      },
      {
        what: 'prompt to an idle session → first request',
        value: warm ?? 0,
        unit: 'ms',
        goal: { atMost: 150 },
      },
    ]
    return rows
  },
}

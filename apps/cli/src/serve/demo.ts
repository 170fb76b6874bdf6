import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { printDiff } from '../commands/diff.ts'
import { createSession, followFirstTurn } from '../commands/run.ts'
import type { Context } from '../context.ts'
import { wrap } from '../render/wrap.ts'
import { shortId } from '../session-ref.ts'
import { padEnd } from '../terminal/width.ts'
import { prepareSample } from './sample-repository.ts'

/** What the demo session is asked; the scripted model has a scenario for it, and a real one understands it too. */
const demoPrompt = 'Fix the failing test'

const markerIn = (dataDir: string) => join(dataDir, 'demo-done')

/** True on the first start: no session was ever made, and the demo never ran. */
export const wantsDemo = async ({ client }: Context, dataDir: string): Promise<boolean> => {
  const done = await stat(markerIn(dataDir)).then(
    () => true,
    () => false,
  )
  if (done) return false
  const { items } = await client.listSessions({ params: { project: 'default' }, query: { limit: 1 } })
  return items.length === 0
}

/** Runs a session on the sample repository and shows its steps, its transcript and its diff. */
export const runDemo = async (context: Context, dataDir: string): Promise<void> => {
  const { out } = context
  const repository = await prepareSample(context.programs.sample, dataDir)
  out.line()
  out.line(out.style.dim('First start: a demo session on a sample repository'))
  out.line()
  const session = await createSession(context, {
    project: 'default',
    prompt: demoPrompt,
    title: 'Demo: fix the failing test',
    repo: [repository],
  })
  const outcome = await followFirstTurn(context, session, { json: false })
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  await writeFile(markerIn(dataDir), `${session.id}\n`, { mode: 0o600 })
  out.line()
  const id = shortId(session.id)
  if (outcome.kind !== 'turn' || outcome.result !== 'success') {
    const { berth } = context
    const advice = `Look into it in another terminal: ${berth} show ${id}; ${berth} doctor`
    return out.line(out.style.yellow(`! The demo did not get to its end. ${advice}`))
  }
  await printDiff(context, { project: 'default', session: session.id }, {})
  out.line()
  out.line(goOn(context, id))
}

const goOn = ({ berth, out }: Context, id: string): string => {
  const rows = [
    [`${berth} attach ${id}`, 'talk to this session'],
    [`${berth} run --repo . "What to do"`, 'start one on a repository of yours'],
    [`${berth} model-key set`, 'use a real model'],
    [`${berth} doctor`, 'when something does not work'],
  ]
  const width = Math.max(...rows.map(([command = '']) => command.length))
  const columns = out.isTty ? out.columns() : Infinity
  const lines = rows.map(([command = '', text = '']) =>
    wrap(`  ${padEnd(command, width)}  ${text}`, columns, width + 4),
  )
  return ['Berth runs until Ctrl-C. Go on in another terminal:', ...lines].join('\n')
}

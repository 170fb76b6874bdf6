import type { Client } from '@berth/client'
import type { AnyEvent, SessionSummary } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { volumeOnNode } from '../../deploy/helm/support/place.ts'
import { checkLog } from '../support/check-log.ts'
import { type Installation, withInstallation } from './support/installation.ts'
import { noPodS3, podS3Values } from './support/pod-s3.ts'
import { startPostgresPod } from './support/postgres-pod.ts'
import { helm } from './support/programs.ts'
import { within } from './support/within.ts'

const project = 'default'

const create = async (client: Client, prompt: string): Promise<string> =>
  (await client.createSession({ params: { project }, body: { prompt } })).id

const reach = (client: Client, session: string, condition: (summary: SessionSummary) => boolean) =>
  within(`the condition on ${session}`, async () => {
    const summary = await client.getSession({ params: { project, session } })
    if (summary.status.phase === 'failed') throw new Error(JSON.stringify(summary.status))
    return condition(summary) ? summary : undefined
  })

const eventsOf = async (client: Client, session: string): Promise<AnyEvent[]> => {
  const events: AnyEvent[] = []
  for await (const event of client.events(project, session, { follow: false })) events.push(event)
  return events
}

/** A change of the backends' pods while a tool of one session works, and an answer of another is on its way. */
const change = async (installation: Installation, client: Client, how: () => Promise<unknown>) => {
  const working = await create(client, 'run: sleep 20 && echo the tool is done')
  const talking = await create(client, 'count slowly to 200')
  for (const session of [working, talking])
    await reach(client, session, (summary) => summary.status.phase === 'working')
  await how()
  const after = await installation.reconnect()
  for (const session of [working, talking]) {
    const summary = await reach(after, session, ({ lastTurn }) => lastTurn !== undefined)
    expect(summary.lastTurn).toMatchObject({ result: 'success' })
    const events = await eventsOf(after, session)
    checkLog(events)
    const runners = new Set(
      events.flatMap(({ generation }) => (generation === undefined ? [] : [generation])),
    )
    expect([...runners], 'the runner of before went on').toEqual([1])
  }
  const said = (await eventsOf(after, working)).filter(({ type }) => type === 'turn.ended')
  expect(JSON.stringify(said)).toContain('the tool is done')
  return { client: after, sessions: [working, talking] }
}

/** An upgrade and a rollback while sessions work; afterwards the conversations go on. */
const upgradeAndRollback = async (installation: Installation) => {
  const { client, namespace } = installation
  const upgraded = await change(installation, client, () => installation.upgrade({ logLevel: 'warn' }))
  const rolled = await change(installation, upgraded.client, () =>
    helm(['rollback', 'berth', '--namespace', namespace, '--wait', '--timeout', '180s']),
  )
  for (const session of upgraded.sessions) {
    await rolled.client.createPrompt({ params: { project, session }, body: { content: 'echo: still here' } })
    await reach(rolled.client, session, ({ turns, status }) => turns === 2 && status.phase === 'idle')
    checkLog(await eventsOf(rolled.client, session))
  }
}

describe('[P116] an upgrade and a rollback of the chart', () => {
  it('end no session of the smallest installation, and lose none of its events', async () => {
    let removeVolume: (() => Promise<unknown>) | undefined
    try {
      await withInstallation(upgradeAndRollback, async (namespace) => {
        removeVolume = await volumeOnNode(namespace, 'berth-data')
        return { persistence: { enabled: true } }
      })
    } finally {
      await removeVolume?.()
    }
  }, 600_000)

  it.skipIf(noPodS3)(
    `end no session of three backends with PostgreSQL and S3 (${noPodS3 ?? 'there is one'})`,
    () =>
      withInstallation(upgradeAndRollback, async (namespace) => ({
        replicas: 3,
        auth: { allowRemoteOwner: true },
        database: { kind: 'postgres', postgres: { url: (await startPostgresPod(namespace)).url } },
        blobs: podS3Values(namespace),
      })),
    600_000,
  )
})

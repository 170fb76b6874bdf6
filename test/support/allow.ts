import { eventually, project, type World } from './world.ts'

/** Allows what is asked, if it is asked still. */
const allow = async ({ client }: World, session: string) => {
  const params = { project, session }
  const { requests } = await client.getSession({ params })
  for (const { request } of requests)
    await client
      .decidePermission({ params: { ...params, request }, body: { behavior: 'allow' } })
      .catch(() => undefined)
}

/** Also allows what is asked again: the agent may not have kept that it had asked when its runner died. */
export const allowUntilEnded = (world: World, session: string) =>
  eventually(`the end of the turn of ${session}`, async () => {
    await allow(world, session)
    const { lastTurn } = await world.client.getSession({ params: { project, session } })
    return lastTurn
  }).catch(() => undefined)

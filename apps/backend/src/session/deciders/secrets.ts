import type { Deciders } from './draft.ts'

/** What the agent can read of the project's secrets: told once, and when it changes. */
export const secretDeciders: Deciders<'show-secrets'> = {
  'show-secrets': (log, { actor, secrets }) => {
    const before = log.current.summary.agentSecrets ?? []
    if (JSON.stringify(before) !== JSON.stringify(secrets))
      log.add(actor, { type: 'secrets.shown', data: { secrets } })
  },
}

import type { Actor } from '../actor.ts'
import { budgetOwner } from '../budget.ts'
import { preview } from '../content.ts'
import type { Event, EventOf } from '../events/event.ts'

/** What a notice of the chat says. */
export interface Notice {
  level: 'info' | 'warning' | 'error'
  message: string
}

type Noticers = { [T in Event['type']]?: (event: EventOf<T>) => Notice | undefined }

const info = (message: string): Notice => ({ level: 'info', message })
const warning = (message: string): Notice => ({ level: 'warning', message })
const error = (message: string): Notice => ({ level: 'error', message })

const nameOf = ({ name, id }: Actor): string => name ?? id

const amount = (unit: 'usd' | 'tokens', value: number): string =>
  unit === 'usd' ? `$${value.toFixed(2)}` : `${Math.round(value)} tokens`

/** Events that belong in a chat though nobody says anything in them. */
export const noticers = {
  'runner.notice': ({ data }) => data,
  'session.notice': ({ data: { level, message } }) => ({ level, message }),
  'session.shared': ({ actor, data }) =>
    info(
      data.visibility === 'private'
        ? `${nameOf(actor)} made the session private${data.shares.length === 0 ? '' : `, shared with ${data.shares.length}`}.`
        : `${nameOf(actor)} opened the session to the whole project.`,
    ),
  'secrets.shown': ({ data: { secrets } }) =>
    secrets.length === 0
      ? info('The agent can read no secret of the project any more.')
      : warning(
          `The agent, and so whoever may prompt it, can read ${preview(secrets.map(({ name, variable }) => `the secret ${name} (${variable})`).join(', '), 1000)}.`,
        ),
  'session.failed': ({ data }) => error(data.message),
  'start.failed': ({ data }) => error(data.message),
  'model.error': ({ data }) => warning(data.message),
  'generation.ended': ({ data }) => (data.reason === 'exited' ? undefined : warning(data.message)),
  'agent.exited': ({ data }) => warning(`Claude Code ended (${data.reason}). ${data.message}`),
  'agent.compacted': () => info('The conversation was made shorter to fit the model.'),
  'agent.reconfigured': ({ data }) =>
    info(`The agent runs with other settings: ${preview(data.changed.join(', '), 500)}.`),
  'conversation.rebuilt': ({ data }) =>
    warning(`The agent begins a new conversation, told what was said before. ${data.reason}`),
  'session.waits': ({ data }) => info(`Waits for room (place ${data.position}). ${data.message}`),
  'budget.reached': ({ data }) => {
    const { unit, used, limit, spent } = data
    const words = `The budget of ${budgetOwner(data)} is ${spent ? 'spent' : 'nearly spent'}`
    const message = `${words}: ${amount(unit, used)} of ${amount(unit, limit)}.`
    return spent ? error(message) : warning(message)
  },
  'turn.paused': ({ data }) => warning(`The turn is paused (${data.reason}). ${data.message}`),
  'turn.restarted': ({ data }) => warning(`The turn begins again from its last checkpoint. ${data.reason}`),
  'workspace.restored': ({ data }) => info(`The files are those of checkpoint ${data.checkpoint}.`),
  'workspace.restore_failed': ({ data }) =>
    error(`The files could not be taken back to checkpoint ${data.checkpoint}. ${data.message}`),
  'checkpoint.failed': ({ data }) => warning(`The session’s state could not be saved. ${data.message}`),
  'checkpoint.saved': ({ data }) =>
    data.omitted === undefined ? undefined : warning(`The last checkpoint is not whole. ${data.omitted}`),
  'repository.added': ({ actor, data }) =>
    info(`${nameOf(actor)} added the repository ${data.repository.url}.`),
  'repository.removed': ({ actor, data }) => info(`${nameOf(actor)} removed the repository ${data.name}.`),
  'repository.state': ({ data }) =>
    data.state === 'failed'
      ? warning(`The repository ${data.name} could not be cloned. ${data.message ?? ''}`.trim())
      : undefined,
  'repository.pushed': ({ actor, data }) =>
    info(`${nameOf(actor)} pushed ${data.name} to ${data.branch} (${data.commit.slice(0, 8)}).`),
  'git.pushed': ({ data }) =>
    info(`The agent pushed ${data.name} to ${data.branch} (${data.commit.slice(0, 8)}).`),
  'git.refused': ({ data }) => warning(`A push of the agent’s to ${data.url} was refused: ${data.message}`),
  'workflow.loaded': ({ data }) => info(`The workflow ${data.name} applies.`),
  'workflow.failed': ({ data }) => warning(`The workflow ${data.url} can’t be used. ${data.message}`),
  'agent.mcp': ({ data }) => {
    const failed = data.servers.filter(({ status }) => status === 'failed' || status === 'needs-auth')
    return failed.length === 0
      ? undefined
      : warning(`MCP servers that don’t work: ${preview(failed.map(({ name }) => name).join(', '), 1000)}.`)
  },
  'permission.ruled': ({ data }) => info(`${data.tool} was refused by the rule ${data.rule}.`),
  'egress.refused': ({ data }) =>
    warning(`${data.message}${data.last === true ? ' More that is refused in this turn is not told.' : ''}`),
  'isolation.tested': ({ data }) => {
    if (!data.sandboxed) return warning('The agent runs without a sandbox.')
    return data.ok ? undefined : error('The sandbox let something through.')
  },
} satisfies Noticers

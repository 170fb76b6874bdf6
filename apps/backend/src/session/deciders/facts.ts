import { BerthError, idPrefixes, type NewEvent } from '@berth/contract'
import type { Deciders, Draft } from './draft.ts'
import { closeOpen, continueTurn, dispatch, settle } from './turn-flow.ts'

/** What runners and the gateway saw. */
export const factDeciders: Deciders<'facts' | 'model-error'> = {
  facts: (log, { actor, generation, source, facts }) => {
    const { live, summary, previous } = log.current
    if (!live || generation !== summary.generation)
      throw new BerthError(
        'fenced',
        `Generation ${generation} is over; ${summary.generation} is the current one.`,
      )
    if (source !== generation && source !== previous?.generation)
      throw new BerthError('fenced', `Generation ${source} can hand over nothing any more.`)
    for (const { n, at, type, data } of facts) {
      const last = source === generation ? log.current.n : (log.current.previous?.n ?? 0)
      if (n <= last) continue
      if (n !== last + 1) throw new BerthError('fact_gap', `Fact ${last + 1} is missing before ${n}.`)
      const { ready: wasReady, summary: before } = log.current
      const hadTurn = before.turn !== undefined
      const place = { at: plausible(at, log.context.at), generation: source, n }
      log.add(actor, { type, data } as NewEvent, place)
      if (source !== generation) continue
      if (type === 'runner.started') closeOpen(log, 'The runner before was lost.')
      if (type === 'agent.ready' && !wasReady) continueTurn(log)
      if (type === 'turn.ended' && hadTurn) settle(log)
      if (type === 'workflow.loaded') beginWorkflow(log, data.startupPrompt)
      if (dispatching.has(type)) dispatch(log)
    }
  },
  'model-error': (log, { actor, data }) => log.add(actor, { type: 'model.error', data }),
}

/** After these the agent may be free. */
const dispatching: ReadonlySet<string> = new Set([
  'turn.ended',
  'agent.ready',
  'workflow.loaded',
  'workspace.restored',
  'workspace.restore_failed',
])
/** A workflow's first prompt, for a session that nobody has given one. */
const beginWorkflow = (log: Draft, text: string | undefined): void => {
  const { turns, turn, queue, fork } = log.current.summary
  if (text === undefined || turns > 0 || turn !== undefined || queue.length > 0 || fork !== undefined) return
  // The decision has one id, which is a turn's; nothing else makes a prompt's of it.
  const prompt = log.context.turn.replace(idPrefixes.turn, idPrefixes.prompt)
  log.add(
    { kind: 'backend', id: 'workflow' },
    { type: 'prompt.queued', data: { prompt, content: [{ type: 'text', text }] } },
  )
}

/** A runner's clock is not trusted: a time in the future becomes now. */
const plausible = (at: string, now: string): string => (at > now ? now : at)

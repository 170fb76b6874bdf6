import type { EventData, SessionState } from '@berth/contract'

type Step = Omit<EventData<'generation.step'>, 'generation'>

/** Events that one generation may take: a start that goes back and forth for days must not fill the log. */
const maxTold = 24

/** What of the runtime's steps is not told yet: each step counts by how far it is, not by its changing words. */
export const untoldSteps = (
  { runtimeSteps: { steps, told } }: Pick<SessionState, 'runtimeSteps'>,
  seen: readonly Step[],
): Step[] => seen.filter(({ step, state }) => steps[step] !== state).slice(0, Math.max(0, maxTold - told))

import { z } from 'zod'
import { type EffectiveSettings, settings } from '../settings/settings.ts'

const { idleMinutes, deadlineMinutes, maxTurns, stopWhenDone } = settings.shape

/**
 * The settings that decisions about a session's life need: resolved when its runner is asked for and whenever it changes
 * them, because decisions see nothing but the session.
 */
export const sessionLimits = z.object({ idleMinutes, deadlineMinutes, maxTurns, stopWhenDone }).required({
  idleMinutes: true,
  stopWhenDone: true,
})

export type SessionLimits = z.infer<typeof sessionLimits>

export const limitsOf = (values: EffectiveSettings): SessionLimits => ({
  idleMinutes: values.idleMinutes,
  deadlineMinutes: values.deadlineMinutes,
  maxTurns: values.maxTurns,
  stopWhenDone: values.stopWhenDone,
})

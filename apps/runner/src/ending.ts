import { stopMessages, stopReason } from '@berth/contract'
import { type ExitCode, exitCode } from './exit-code.ts'

/** Why and how a runner ends. */
export interface Ending {
  code: ExitCode
  /** How the turn that runs ends; missing: it doesn't, and the next runner goes on with it. */
  turn?: { code: string; message: string }
  /** Why a last checkpoint is taken; missing: none is. */
  save?: 'stop' | 'signal'
  /** Limits for ending the turn with its save, the agent's own end, the last checkpoint, and sending the rest, in ms. */
  limits: { turnMs: number; closeMs: number; saveMs: number; flushMs: number }
}

const now = { turnMs: 0, closeMs: 0, saveMs: 0, flushMs: 0 }

export const endings = {
  stopped: {
    code: exitCode.done,
    turn: { code: 'stopped', message: 'The session was stopped.' },
    save: 'stop',
    limits: { turnMs: 90_000, closeMs: 3000, saveMs: 120_000, flushMs: 20_000 },
  },
  deleted: {
    code: exitCode.done,
    turn: { code: 'deleted', message: 'The session was deleted.' },
    limits: { turnMs: 20_000, closeMs: 1000, saveMs: 0, flushMs: 10_000 },
  },
  /**
   * By a signal, though nobody asked the session to stop: the machine restarts. Everything is on its disk. Together under
   * eight seconds: the runtime kills ten seconds after its SIGTERM.
   */
  terminated: {
    code: exitCode.terminated,
    save: 'signal',
    limits: { turnMs: 0, closeMs: 2500, saveMs: 3500, flushMs: 2000 },
  },
  fenced: { code: exitCode.fenced, limits: now },
  away: { code: exitCode.away, limits: { turnMs: 0, closeMs: 4000, saveMs: 0, flushMs: 0 } },
  fault: { code: exitCode.fault, limits: { turnMs: 0, closeMs: 0, saveMs: 0, flushMs: 2000 } },
  startFailed: { code: exitCode.start, limits: { turnMs: 0, closeMs: 0, saveMs: 0, flushMs: 20_000 } },
} as const satisfies Record<string, Ending>

/** The end by a signal where the runtime says how long it waits before it kills: the more time, the surer the checkpoint. */
export const terminatedWithin = (graceMs: number | undefined): Ending => {
  if (graceMs === undefined) return endings.terminated
  const share = (part: number) => Math.floor(graceMs * part)
  const limits = { turnMs: 0, closeMs: Math.min(5000, share(0.2)), saveMs: share(0.55), flushMs: share(0.15) }
  return { ...endings.terminated, limits }
}

/** The end that a stop asks for: the turn that it cuts short says why. */
export const stoppedFor = (reason: string): Ending => {
  const known = stopReason.safeParse(reason).data ?? 'user'
  if (known === 'deleted') return endings.deleted
  const turn = { code: known === 'user' ? 'stopped' : known, message: stopMessages[known] }
  return { ...endings.stopped, turn }
}

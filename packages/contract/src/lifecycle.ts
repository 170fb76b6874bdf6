import { z } from 'zod'

/** What was asked for. */
export const desired = z.enum(['running', 'stopped', 'deleted'])
export type Desired = z.infer<typeof desired>

/** What is observed. */
export const phase = z.enum([
  'pending',
  'starting',
  'idle',
  'working',
  'waiting',
  'stopping',
  'stopped',
  'failed',
])
export type Phase = z.infer<typeof phase>

/** Why a session is stopped. */
export const stopReason = z.enum(['user', 'idle', 'completed', 'budget', 'deadline', 'turns', 'deleted'])
export type StopReason = z.infer<typeof stopReason>

/** The reasons that hold a session back: its prompts wait until somebody raises the limit and resumes it. */
export const holdReason = stopReason.extract(['budget', 'deadline', 'turns'])
export type HoldReason = z.infer<typeof holdReason>

export const isHold = (reason: StopReason): reason is HoldReason => holdReason.safeParse(reason).success

/** What a turn that was cut short by a stop says, by the stop's reason. */
export const stopMessages: Record<StopReason, string> = {
  user: 'The session was stopped.',
  idle: 'The session had nothing to do and was put to sleep.',
  completed: 'The session was stopped because its work was done.',
  budget: 'The session has spent its budget. Raise it, then resume the session.',
  deadline:
    'The session has run for as long as its deadline allows. Raise deadlineMinutes, then resume the session.',
  turns: 'The session has had as many turns as it may have. Raise maxTurns, then resume the session.',
  deleted: 'The session was deleted.',
}

/** Why a session can't go on without a person. */
export const failReason = z.enum([
  'image',
  'unschedulable',
  'spawn',
  'sandbox',
  'clone',
  'agent',
  'credentials',
  'out-of-memory',
  'crash-loop',
  'storage',
])
export type FailReason = z.infer<typeof failReason>

/**
 * Why a session waits before its runner is started: it is about to be, the last one was lost, or there is no room for
 * one more.
 */
const pendingReason = z.enum(['queued', 'backoff', 'capacity'])
export type PendingReason = z.infer<typeof pendingReason>

/** Why a generation ended. */
export const endReason = z.enum([
  'exited',
  'crashed',
  'killed',
  'out-of-memory',
  'lost',
  'silent',
  'deadline',
  'evicted',
  'unschedulable',
  'image',
  'create-error',
  'node-lost',
  'preempted',
])
export type EndReason = z.infer<typeof endReason>

/** What moves a session from one phase to another. */
export type Signal =
  /** A runner was asked for. */
  | 'launch'
  /** The agent is live. */
  | 'ready'
  /** A turn began. */
  | 'turn'
  /** A person is needed. */
  | 'ask'
  /** Nobody is needed any more. */
  | 'answer'
  /** The turn ended, and no other began. */
  | 'rest'
  /** A stop was asked for. */
  | 'stop'
  /** The runner ended, as it should. */
  | 'exit'
  /** The runner ended, and another is wanted. */
  | 'lost'
  /** Can't go on without a person. */
  | 'fail'
  /** A runner is wanted again. */
  | 'resume'

/**
 * The life of a session. Total: every phase answers every signal. `stay` keeps the phase; `refuse` marks what can't
 * come in that phase: a command is refused, a runner's fact is stored and changes nothing.
 */
export const lifecycle: Record<Phase, Record<Signal, Phase | 'stay' | 'refuse'>> = {
  pending: {
    launch: 'starting',
    ready: 'refuse',
    turn: 'refuse',
    ask: 'refuse',
    answer: 'stay',
    rest: 'stay',
    stop: 'stopped',
    exit: 'stay',
    lost: 'stay',
    fail: 'failed',
    resume: 'stay',
  },
  starting: {
    launch: 'refuse',
    ready: 'idle',
    turn: 'refuse',
    ask: 'refuse',
    answer: 'stay',
    rest: 'stay',
    stop: 'stopping',
    exit: 'stopped',
    lost: 'pending',
    fail: 'failed',
    resume: 'stay',
  },
  idle: {
    launch: 'refuse',
    ready: 'stay',
    turn: 'working',
    ask: 'refuse',
    answer: 'stay',
    rest: 'stay',
    stop: 'stopping',
    exit: 'stopped',
    lost: 'pending',
    fail: 'failed',
    resume: 'stay',
  },
  working: {
    launch: 'refuse',
    ready: 'stay',
    turn: 'stay',
    ask: 'waiting',
    answer: 'stay',
    rest: 'idle',
    stop: 'stopping',
    exit: 'stopped',
    lost: 'pending',
    fail: 'failed',
    resume: 'stay',
  },
  waiting: {
    launch: 'refuse',
    ready: 'stay',
    turn: 'stay',
    ask: 'stay',
    answer: 'working',
    rest: 'idle',
    stop: 'stopping',
    exit: 'stopped',
    lost: 'pending',
    fail: 'failed',
    resume: 'stay',
  },
  stopping: {
    launch: 'refuse',
    ready: 'stay',
    turn: 'stay',
    ask: 'stay',
    answer: 'stay',
    rest: 'stay',
    stop: 'stay',
    exit: 'stopped',
    lost: 'pending',
    fail: 'failed',
    resume: 'stay',
  },
  stopped: {
    launch: 'refuse',
    ready: 'stay',
    turn: 'refuse',
    ask: 'refuse',
    answer: 'stay',
    rest: 'stay',
    stop: 'stay',
    exit: 'stay',
    lost: 'stay',
    fail: 'failed',
    resume: 'pending',
  },
  failed: {
    launch: 'refuse',
    ready: 'stay',
    turn: 'refuse',
    ask: 'refuse',
    answer: 'stay',
    rest: 'stay',
    stop: 'stopped',
    exit: 'stay',
    lost: 'stay',
    fail: 'stay',
    resume: 'pending',
  },
}

/** The phase after a signal. What is refused changes nothing here. */
export const nextPhase = (from: Phase, signal: Signal): Phase => {
  const to = lifecycle[from][signal]
  return to === 'stay' || to === 'refuse' ? from : to
}

/** The phases in which a runner exists. */
export const livePhases: readonly Phase[] = ['starting', 'idle', 'working', 'waiting', 'stopping']

const since = z.iso.datetime()

/** A session's phase with what belongs to it: a stopped session has a reason, a failed one a cause, others neither. */
export const sessionStatus = z.discriminatedUnion('phase', [
  z.object({
    phase: z.literal('pending'),
    since,
    reason: pendingReason,
    message: z.string().max(4000).optional(),
    /** When a runner is tried again, after a failure. */
    retryAt: since.optional(),
  }),
  z.object({ phase: z.literal('starting'), since }),
  z.object({ phase: z.literal('idle'), since }),
  z.object({ phase: z.literal('working'), since }),
  z.object({ phase: z.literal('waiting'), since }),
  z.object({ phase: z.literal('stopping'), since, reason: stopReason }),
  z.object({ phase: z.literal('stopped'), since, reason: stopReason }),
  z.object({ phase: z.literal('failed'), since, reason: failReason, message: z.string().max(4000) }),
])

export type SessionStatus = z.infer<typeof sessionStatus>

import type { Clock, RunnerEnded, RunnerRunning, TimerHandle } from '@berth/runtime'
import type { CompiledOptions } from '../options/schema.ts'
import { endOf } from './end-of.ts'
import type { JobFacts, PodFacts, RecordedEnd } from './facts.ts'
import { advance, type Marks, stepsOf } from './marks.ts'
import type { Trouble } from './trouble.ts'

export interface TrackerParts {
  /** What is known of a session now. */
  jobs: (session: string) => JobFacts[]
  pods: (session: string) => PodFacts[]
  patience: CompiledOptions['patience']
  clock: Clock
  /** Something about the session changed. */
  onChange: (session: string) => void
  /** A generation has ended, and its Job doesn't say so yet, or something of its pod goes on. */
  onEnd: (job: JobFacts, end: RecordedEnd) => void
  /** A Job has no pod for a while. */
  onPodless: (job: JobFacts) => void
}

/** A Job that is older when it is first seen was there before this process. */
const freshMs = 5000

interface Entry {
  marks: Marks
  /** The last that was seen of its pod. */
  pod: PodFacts | undefined
  podIsGone: boolean
  podless: Trouble | undefined
  timer: TimerHandle | undefined
}

/** Time after which it is asked why a Job has no pod. */
const podlessMs = 3000

/** Follows each generation from what is seen of its Job and its pod: how far its start is, and how it ended. */
export class Tracker {
  readonly #parts: TrackerParts
  readonly #entries = new Map<string, Map<string, Entry>>()

  constructor(parts: TrackerParts) {
    this.#parts = parts
  }

  /** What is seen of the session has changed. */
  touch(session: string): void {
    const jobs = this.#parts.jobs(session)
    this.#forget(session, jobs)
    for (const job of jobs) this.#follow(job)
    this.#parts.onChange(session)
  }

  /** Why the pod of a Job isn't made. */
  blame(job: JobFacts, podless: Trouble | undefined): void {
    const entry = this.#entries.get(job.session)?.get(job.uid)
    if (entry === undefined) return
    entry.podless = podless
    this.touch(job.session)
  }

  /** The newest generation, as it is seen; undefined when none has been asked for. */
  look(session: string): RunnerRunning | RunnerEnded | undefined {
    const [job] = this.newest(session)
    return job && this.#observation(job)
  }

  /** The Jobs of a session, the newest generation first. */
  newest(session: string): JobFacts[] {
    return this.#parts.jobs(session).sort((a, b) => b.generation - a.generation)
  }

  /** How the generation of a Job ended; undefined as long as it hasn't. */
  end(job: JobFacts): RecordedEnd | undefined {
    const { patience, clock } = this.#parts
    const { marks, pod, podIsGone } = this.#entry(job)
    return endOf({ job, pod, podIsGone, marks, now: clock.now(), patience })
  }

  close(): void {
    for (const entries of this.#entries.values()) for (const entry of entries.values()) this.#disarm(entry)
    this.#entries.clear()
  }

  #observation(job: JobFacts): RunnerRunning | RunnerEnded | undefined {
    const { session, generation } = job
    const end = this.end(job)
    if (end !== undefined) return { state: 'ended', session, generation, ...definedOf(end) }
    // It is only being asked for, or was left so by a backend that died: it is asked for again.
    if (job.suspended) return undefined
    const { marks } = this.#entry(job)
    const { beganAt } = marks
    return {
      state: 'running',
      session,
      generation,
      startedAt: job.createdAt,
      ...(beganAt === undefined ? {} : { beganAt }),
      steps: stepsOf(marks),
    }
  }

  #follow(job: JobFacts): void {
    const { pods, clock, onEnd } = this.#parts
    const entry = this.#entry(job)
    const found = newestPod(pods(job.session), job.generation)
    entry.podIsGone = found === undefined
    entry.pod = found ?? entry.pod
    if (found !== undefined) entry.podless = undefined
    entry.marks = advance(entry.marks, { pod: entry.pod, podless: entry.podless }, clock.now())
    const end = this.end(job)
    if (end !== undefined && (job.end === undefined || goesOn(found))) onEnd(job, end)
    this.#arm(job, entry, end !== undefined)
  }

  /** Looks again by itself when patience runs out: nothing happens then that would be seen. */
  #arm(job: JobFacts, entry: Entry, ended: boolean): void {
    this.#disarm(entry)
    if (ended || job.suspended) return
    const { clock, patience, onPodless } = this.#parts
    const { trouble, since } = entry.marks
    if (trouble !== undefined) {
      const seconds = {
        schedule: patience.scheduleSeconds,
        image: patience.imageSeconds,
        create: patience.createSeconds,
      }
      const due = trouble.since + seconds[trouble.kind] * 1000 - clock.now()
      entry.timer = clock.setTimeout(() => this.touch(job.session), Math.max(0, due))
    } else if (entry.pod === undefined) {
      entry.timer = clock.setTimeout(() => onPodless(job), Math.max(0, since + podlessMs - clock.now()))
    }
    entry.timer?.unref()
  }

  #disarm(entry: Entry): void {
    if (entry.timer !== undefined) this.#parts.clock.clearTimeout(entry.timer)
    entry.timer = undefined
  }

  #entry(job: JobFacts): Entry {
    const entries = this.#entries.get(job.session) ?? new Map<string, Entry>()
    this.#entries.set(job.session, entries)
    const known = entries.get(job.uid)
    if (known !== undefined) return known
    const pod = newestPod(this.#parts.pods(job.session), job.generation)
    const since = this.#parts.clock.now()
    const marks = { since, adopted: pod?.scheduled === true || since - job.createdAt > freshMs }
    const entry: Entry = { marks, pod, podIsGone: pod === undefined, podless: undefined, timer: undefined }
    entries.set(job.uid, entry)
    return entry
  }

  #forget(session: string, jobs: JobFacts[]): void {
    const entries = this.#entries.get(session)
    if (entries === undefined) return
    const present = new Set(jobs.map(({ uid }) => uid))
    for (const [uid, entry] of entries) {
      if (present.has(uid)) continue
      this.#disarm(entry)
      entries.delete(uid)
    }
    if (entries.size === 0) this.#entries.delete(session)
  }
}

const goesOn = (pod: PodFacts | undefined): boolean =>
  pod !== undefined && !pod.deleting && pod.phase !== 'Succeeded' && pod.phase !== 'Failed'

const newestPod = (pods: PodFacts[], generation: number): PodFacts | undefined =>
  pods.filter((pod) => pod.generation === generation).sort((a, b) => b.createdAt - a.createdAt)[0]

const definedOf = ({ reason, exitCode, signal, message, endedAt }: RecordedEnd) => ({
  reason,
  ...(exitCode === undefined ? {} : { exitCode }),
  ...(signal === undefined ? {} : { signal }),
  message,
  endedAt,
})

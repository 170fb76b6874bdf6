import type { EventData } from '@berth/contract'

/** What projects have quotas of, with the reason for which a session waits that lacks it. */
const reasons = {
  memoryMiB: 'project-memory',
  milliCpus: 'project-cpus',
} as const satisfies Record<string, EventData<'session.waits'>['reason']>

type Resource = keyof typeof reasons
export type Amounts = Readonly<Record<Resource, number>>
/** What is missing is not limited. */
export type Quota = Readonly<Partial<Amounts>>

interface Sized {
  project: string
  /** What it has, or would have, of its project's quotas. */
  wanted: Amounts
}

const nothing: Amounts = { memoryMiB: 0, milliCpus: 0 }
const resources = Object.keys(reasons) as Resource[]

const exceeded = (amounts: Amounts, quota: Quota): Resource | undefined =>
  resources.find((resource) => amounts[resource] > (quota[resource] ?? Infinity))

const sum = (one: Amounts, other: Amounts): Amounts => ({
  memoryMiB: one.memoryMiB + other.memoryMiB,
  milliCpus: one.milliCpus + other.milliCpus,
})

/** What is left of the quotas that projects have, while one after the other gets room. */
export class ResourceQuotas {
  /** What the sessions of each project have. */
  readonly used = new Map<string, Amounts>()
  readonly #quotas: ReadonlyMap<string, Quota>
  /** Projects in which one waits for something: what becomes free is kept for it. */
  readonly #kept = new Map<string, Resource>()

  constructor(live: readonly Sized[], quotas: ReadonlyMap<string, Quota>) {
    this.#quotas = quotas
    for (const session of live) this.take(session)
  }

  take({ project, wanted }: Sized): void {
    this.used.set(project, sum(this.used.get(project) ?? nothing, wanted))
  }

  /** Why one wants more than the whole quota, which was lowered then. */
  neverFits({ project, wanted }: Sized): (typeof reasons)[Resource] | undefined {
    const resource = exceeded(wanted, this.#quotas.get(project) ?? {})
    return resource && reasons[resource]
  }

  /** What there is too little left of for the next one in order. Those of its project after it wait for it too. */
  lacks({ project, wanted }: Sized): (typeof reasons)[Resource] | undefined {
    const after = sum(this.used.get(project) ?? nothing, wanted)
    const lacking = this.#kept.get(project) ?? exceeded(after, this.#quotas.get(project) ?? {})
    if (lacking === undefined) return undefined
    this.#kept.set(project, lacking)
    return reasons[lacking]
  }
}

import { Heap } from './heap.ts'

/** Who has room already, as far as fairness asks. */
export interface Holder {
  project: string
  owner: string
}

/** A session that waits for room, as far as fairness asks. */
export interface Queued extends Holder {
  session: string
  /** Milliseconds since 1970. */
  since: number
}

interface Line {
  name: string
  /** Sessions that live, with those that come before in the order. */
  live: number
}

interface OwnerLine<Q extends Queued> extends Line {
  /** Oldest last. */
  waiting: Q[]
}

interface ProjectLine<Q extends Queued> extends Line {
  owners: Heap<OwnerLine<Q>>
}

/**
 * The order in which sessions get room, each counting as one that lives from then on: the project with the fewest live
 * sessions first, in it the owner with the fewest, and of theirs the oldest. Takes n log n steps.
 */
export function* fairOrder<Q extends Queued>(live: readonly Holder[], waiting: readonly Q[]): Generator<Q> {
  const projects = linesOf(live, waiting)
  for (let project = projects.pop(); project !== undefined; project = projects.pop()) {
    const owner = project.owners.pop()
    const next = owner?.waiting.pop()
    if (owner === undefined || next === undefined) continue
    yield next
    owner.live += 1
    project.live += 1
    if (owner.waiting.length > 0) project.owners.push(owner)
    if (project.owners.peek() !== undefined) projects.push(project)
  }
}

const linesOf = <Q extends Queued>(live: readonly Holder[], waiting: readonly Q[]): Heap<ProjectLine<Q>> => {
  const counts = new Map<string, number>()
  const count = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const { project, owner } of live) {
    count(project)
    count(keyOf(project, owner))
  }
  const byProject = new Map<string, Map<string, OwnerLine<Q>>>()
  for (const applicant of [...waiting].sort(youngestFirst)) {
    const { project, owner } = applicant
    const owners = getOr(byProject, project, () => new Map<string, OwnerLine<Q>>())
    const empty = () => ({ name: owner, live: counts.get(keyOf(project, owner)) ?? 0, waiting: [] })
    getOr(owners, owner, empty).waiting.push(applicant)
  }
  const projects = new Heap<ProjectLine<Q>>(before((line) => line.owners.peek()?.waiting.at(-1)?.since))
  for (const [name, owners] of byProject) {
    const heap = new Heap<OwnerLine<Q>>(before((line) => line.waiting.at(-1)?.since))
    for (const line of owners.values()) heap.push(line)
    projects.push({ name, live: counts.get(name) ?? 0, owners: heap })
  }
  return projects
}

const keyOf = (project: string, owner: string): string => `${project} ${owner}`

const getOr = <V>(map: Map<string, V>, key: string, make: () => V): V => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

const youngestFirst = (a: Queued, b: Queued): number => b.since - a.since || (a.session < b.session ? 1 : -1)

/** Fewest live first; of equals the one that waits longest, and the name decides what is left. */
const before =
  <L extends Line>(since: (line: L) => number | undefined) =>
  (a: L, b: L): boolean => {
    if (a.live !== b.live) return a.live < b.live
    const [one, other] = [since(a) ?? 0, since(b) ?? 0]
    return one === other ? a.name < b.name : one < other
  }

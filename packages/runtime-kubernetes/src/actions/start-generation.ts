import { type RunnerSpec, RuntimeError } from '@berth/runtime'
import type { V1Job } from '@kubernetes/client-node'
import { hasStatus } from '../api/api-error.ts'
import { kinds } from '../api/resources.ts'
import { checkImage } from '../image-policy.ts'
import { checkProject, jobNameOf, namespaceOf } from '../names.ts'
import type { JobFacts } from '../observe/facts.ts'
import { jobSpec, secretSpec } from '../specs/job.ts'
import type { EndSessions } from './end-session.ts'
import type { Parts } from './parts.ts'
import type { ProjectHomes } from './project-home.ts'

interface Deps {
  homes: ProjectHomes
  endings: EndSessions
}

/** Milliseconds that an older generation gets before a newer one starts. */
const replaceGraceMs = 2000

/**
 * Makes sure that the Job of a generation is there and goes on. The Job is made suspended, then its Secret, owned by it,
 * then it is resumed: whatever a kill leaves behind is a Job that the next call goes on with, and that owns all the rest.
 */
export const startGeneration = async (parts: Parts, deps: Deps, spec: RunnerSpec): Promise<void> => {
  const { tracker, options } = parts
  checkProject(spec.project)
  checkImage(options, spec.image)
  const known = tracker.newest(spec.session)
  const [newest] = known
  if (newest !== undefined && newest.generation > spec.generation) throw outdated(spec, newest)
  const same = known.find((job) => job.generation === spec.generation && !job.deleting)
  if (same !== undefined && (!same.suspended || tracker.end(same) !== undefined)) return
  for (const job of known.filter(({ generation }) => generation < spec.generation)) {
    await deps.endings.end(spec.session, replaceGraceMs)
    await deps.endings.deleteJob(job)
  }
  try {
    await deps.homes.prepare(spec.project)
    await make(parts, spec)
  } catch (error) {
    // The namespace may have been deleted since it was looked at.
    if (!hasStatus(error, 404) && !hasStatus(error, 403)) throw error
    deps.homes.forget(spec.project)
    if (!hasStatus(error, 404)) throw error
    await deps.homes.prepare(spec.project)
    await make(parts, spec)
  }
}

const make = async (parts: Parts, spec: RunnerSpec): Promise<void> => {
  const { api, view, options } = parts
  const namespace = namespaceOf(options, spec.project)
  const name = jobNameOf(spec.session, spec.generation)
  const job = await makeJob(parts, spec)
  if (job.spec?.suspend !== true) return view.answered(job)
  try {
    await makeSecret(parts, spec, job.metadata?.uid ?? '')
    view.answered(await api.merge<V1Job>({ kind: kinds.jobs, namespace, name }, { spec: { suspend: false } }))
  } catch (error) {
    // Nothing of a start that failed should be left; what can't be deleted now is suspended, and is found by the sweep.
    await api
      .delete({ kind: kinds.jobs, namespace, name }, { propagationPolicy: 'Background' })
      .catch(() => undefined)
    throw error
  }
}

const makeJob = async ({ api, options, commands }: Parts, spec: RunnerSpec): Promise<V1Job> => {
  const namespace = namespaceOf(options, spec.project)
  const body = jobSpec({ options, commands, spec })
  try {
    return await api.create<V1Job>({ kind: kinds.jobs, namespace }, body)
  } catch (error) {
    if (!hasStatus(error, 409)) throw error
    return api.get<V1Job>({ kind: kinds.jobs, namespace, name: body.metadata?.name })
  }
}

/** A Secret that is there already holds a token that nobody knows any more. */
const makeSecret = async ({ api, options }: Parts, spec: RunnerSpec, jobUid: string): Promise<void> => {
  const namespace = namespaceOf(options, spec.project)
  const body = secretSpec({ options, spec }, jobUid)
  const place = { kind: kinds.secrets, namespace }
  try {
    await api.create(place, body)
  } catch (error) {
    if (!hasStatus(error, 409)) throw error
    await api.delete({ ...place, name: body.metadata?.name })
    await api.create(place, body)
  }
}

const outdated = (spec: RunnerSpec, newest: JobFacts): RuntimeError =>
  new RuntimeError({
    reason: 'forbidden',
    message: `Generation ${spec.generation} of ${spec.session} was not started: generation ${newest.generation} has been started since.`,
    retryable: false,
  })

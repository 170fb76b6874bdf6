import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { BerthError, type Diagnosis, type Finding, makeId } from '@berth/contract'
import type { Runtime } from '@berth/runtime'
import type { TokenReviewer } from '../auth/token-review/token-reviewer.ts'
import type { BlobStore } from '../blobs/port.ts'
import type { Store } from '../store/port.ts'

export interface DiagnoseParts {
  store: Store
  blobs: BlobStore
  runtime: Runtime
  /** Where tokens of a cluster are taken. */
  tokenReviewer?: Pick<TokenReviewer, 'check'>
  now: () => number
  /** As runners get it. */
  runnerUrl: () => string
}

/** Looks at the parts that the backend stands on. One look is under way at a time for a project: who asks meanwhile gets that. */
export const diagnoser = (parts: DiagnoseParts): ((project: string) => Promise<Diagnosis>) => {
  const running = new Map<string, Promise<Diagnosis>>()
  return async (project) => {
    if ((await parts.store.project(project)) === undefined)
      throw new BerthError('project_not_found', `There is no project ${project}.`)
    const under = running.get(project) ?? diagnose(parts, project).finally(() => running.delete(project))
    running.set(project, under)
    return under
  }
}

const diagnose = async (parts: DiagnoseParts, project: string): Promise<Diagnosis> => {
  const { runtime, runnerUrl, tokenReviewer } = parts
  const [store, blobs, signIn, place] = await Promise.all([
    finding(
      'store',
      () => checkStore(parts),
      'Look at the log of the backend, and whether its database is there.',
    ),
    finding(
      'blob store',
      () => checkBlobs(parts),
      'Check BERTH_S3_*, its keys and their rights, or the disk of the data directory.',
    ),
    tokenReviewer?.check(),
    runtime.diagnose?.({ project, backendUrl: runnerUrl() }),
  ])
  return {
    runtime: runtime.kind,
    namespace: place?.namespace,
    findings: [store, blobs, ...(signIn === undefined ? [] : [signIn]), ...(place?.findings ?? [])],
  }
}

const finding = async (name: string, check: () => Promise<string>, repair: string): Promise<Finding> => {
  try {
    return { name, state: 'ok', detail: await check() }
  } catch (error) {
    const detail = (error instanceof Error ? error.message : String(error)).slice(0, 1000)
    return { name, state: 'fail', detail, repair }
  }
}

const checkStore = async ({ store, now }: DiagnoseParts): Promise<string> => {
  const began = now()
  await store.ping()
  return `answers in ${now() - began} ms`
}

/** Puts a blob, reads and removes it, as an operation that a crash cut short: the sweep would find what is left. */
const checkBlobs = async ({ blobs, now }: DiagnoseParts): Promise<string> => {
  const scope = makeId('operation', now(), randomBytes(10))
  const bytes = randomBytes(1000)
  const blob = createHash('sha256').update(bytes).digest('hex')
  const began = now()
  try {
    await blobs.put(scope, { blob, content: Readable.from([bytes]), maxBytes: bytes.length })
    const found = await blobs.get(scope, blob)
    if (found === undefined || !(await buffer(found.content)).equals(bytes))
      throw new Error('What was put there could not be read again.')
  } finally {
    await blobs.removeAll(scope).catch(() => undefined)
  }
  return `takes, gives and removes a blob in ${now() - began} ms`
}

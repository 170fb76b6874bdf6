import type { CoreV1Event } from '@kubernetes/client-node'
import { kinds } from '../api/resources.ts'
import type { JobFacts } from '../observe/facts.ts'
import type { Trouble } from '../observe/trouble.ts'
import type { Parts } from './parts.ts'

/** Why a Job has no pod: only its events tell, e.g. of a quota that is used up. Undefined when they don't. */
export const whyPodless = async (
  { api }: Pick<Parts, 'api'>,
  job: Pick<JobFacts, 'namespace' | 'uid'>,
): Promise<Trouble | undefined> => {
  const place = { kind: kinds.events, namespace: job.namespace }
  const query = { fieldSelector: `involvedObject.uid=${job.uid}` }
  const read = ({ reason, message }: CoreV1Event) =>
    reason === 'FailedCreate' ? (message ?? 'The pod could not be made.') : undefined
  const { items } = await api.list(place, '', { query, read })
  const message = items.at(-1)
  return message === undefined ? undefined : { kind: 'schedule', message }
}

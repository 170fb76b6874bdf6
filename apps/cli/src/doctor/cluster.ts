import type { Diagnosis, Finding } from '@berth/contract'
import type { Context } from '../context.ts'
import { backend } from './checks.ts'
import { clusterFinding, namespaceFinding, quotaFindings } from './cluster-findings.ts'
import { type Kubectl, kubectlOf } from './kubectl.ts'

/** The backend waits for pods that it starts to look around. */
const diagnosisMs = 180_000

/** Checks a cluster: with the user's kubectl from here, and from the backend, whose rights and network count. None throws. */
export const checkCluster = async (
  context: Context,
  project: string,
  kubectl: Kubectl = kubectlOf(context),
): Promise<Finding[]> => {
  const [cluster, answers] = await Promise.all([checkContext(kubectl), backend(context)])
  if (answers.state !== 'ok') return [cluster, away(answers)]
  const diagnosis = await diagnose(context, project)
  if (!('findings' in diagnosis)) return [cluster, answers, diagnosis]
  const { runtime, namespace, findings } = diagnosis
  const place = namespace === undefined ? [] : await checkNamespace(kubectl, namespace)
  return [cluster, answers, ...(runtime === 'kubernetes' ? [] : [notThere(runtime)]), ...findings, ...place]
}

/** What may be so on one machine is none of a cluster. */
const away = ({ detail }: Finding): Finding => ({
  name: 'backend',
  state: 'fail',
  detail,
  repair:
    'Set BERTH_URL and BERTH_TOKEN for the backend in the cluster, with kubectl port-forward if nothing else leads there.',
})

const diagnose = ({ client }: Context, project: string): Promise<Diagnosis | Finding> =>
  client.diagnose({ body: { project }, timeoutMs: diagnosisMs }).catch((error: Error) => ({
    name: 'diagnosis',
    state: 'fail' as const,
    detail: error.message,
    repair: 'Only an administrator of the installation may ask for it: set BERTH_TOKEN to such a token.',
  }))

const notThere = (runtime: string): Finding => ({
  name: 'runtime',
  state: 'fail',
  detail: `the backend runs sessions with its ${runtime} runtime, not on a cluster`,
  repair: 'Call the backend in the cluster (BERTH_URL), or start this one with BERTH_RUNTIME=kubernetes.',
})

const checkContext = async (kubectl: Kubectl): Promise<Finding> => {
  try {
    const [config, version] = await Promise.all([kubectl('config', 'view', '--minify'), kubectl('version')])
    return clusterFinding(config as object, version as object)
  } catch (error) {
    return unseen('cluster', error)
  }
}

const checkNamespace = async (kubectl: Kubectl, namespace: string): Promise<Finding[]> => {
  try {
    const found = await kubectl('get', 'namespace', namespace)
    const quotas = await kubectl('get', 'resourcequota', '--namespace', namespace)
    return [namespaceFinding(found as object), ...quotaFindings(quotas as object, namespace)]
  } catch (error) {
    return [unseen('namespace', error)]
  }
}

/** What kubectl can't see from here may be well all the same. */
const unseen = (name: string, error: unknown): Finding => ({
  name,
  state: 'warn',
  detail: `not seen from here: ${error instanceof Error ? error.message : String(error)}`,
  repair:
    'Install kubectl, and point KUBECONFIG at the cluster of the backend; the rest is checked without it.',
})

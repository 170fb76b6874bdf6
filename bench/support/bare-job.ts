import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../packages/runtime/src/index.ts'
import { ClusterAccess } from '../../packages/runtime-kubernetes/src/api/cluster-access.ts'
import { KubernetesApi } from '../../packages/runtime-kubernetes/src/api/kubernetes-api.ts'
import { kinds } from '../../packages/runtime-kubernetes/src/api/resources.ts'
import { compileOptions } from '../../packages/runtime-kubernetes/src/index.ts'

/** Time between two looks at a Job. */
const lookMs = 200

/** What is asked of a Job. */
interface MadeJob {
  status?: { succeeded?: number; failed?: number }
}

export interface BareJobs {
  /** Makes a Job whose only container starts Claude Code with this prompt; gives its name. */
  start(prompt: string): Promise<string>
  /** Resolves when nothing of the Job runs any more. */
  ended(name: string): Promise<void>
  close(): Promise<void>
}

/** What somebody would do by hand: a Job that starts `claude` in Berth's image, and asks the model directly. */
export const openBareJobs = async (image: string, modelUrl: string): Promise<BareJobs> => {
  const access = ClusterAccess.load()
  const { api: options } = compileOptions({ images: { runner: image } })
  const api = new KubernetesApi({ access, options, clock: systemClock })
  const namespace = `bench-bare-${randomBytes(3).toString('hex')}`
  await api.create({ kind: kinds.namespaces }, { metadata: { name: namespace } })
  return {
    start: async (prompt) => {
      const body = jobOf({ image, modelUrl, prompt })
      await api.create({ kind: kinds.jobs, namespace }, body)
      return body.metadata.name
    },
    ended: async (name) => {
      const isOver = ({ status }: MadeJob) => (status?.succeeded ?? 0) + (status?.failed ?? 0) > 0
      while (!isOver(await api.get<MadeJob>({ kind: kinds.jobs, namespace, name }))) await sleep(lookMs)
    },
    close: async () => {
      await api.delete({ kind: kinds.namespaces, name: namespace })
      await access.close()
    },
  }
}

const jobOf = ({ image, modelUrl, prompt }: { image: string; modelUrl: string; prompt: string }) => ({
  metadata: { name: `bare-${randomBytes(4).toString('hex')}` },
  spec: {
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 20_000, fsGroup: 20_000 },
        containers: [
          {
            name: 'claude',
            image,
            imagePullPolicy: 'IfNotPresent',
            command: ['/opt/berth/claude/claude', '-p', prompt],
            workingDir: '/workspace',
            env: Object.entries({
              HOME: '/home/agent',
              ANTHROPIC_BASE_URL: modelUrl,
              ANTHROPIC_API_KEY: 'bench',
              CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
              DISABLE_AUTOUPDATER: '1',
            }).map(([name, value]) => ({ name, value })),
            volumeMounts: ['/workspace', '/home/agent', '/tmp'].map((mountPath, index) => ({
              name: `v${index}`,
              mountPath,
            })),
          },
        ],
        volumes: [0, 1, 2].map((index) => ({ name: `v${index}`, emptyDir: {} })),
      },
    },
  },
})

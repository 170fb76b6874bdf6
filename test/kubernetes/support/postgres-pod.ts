import { randomBytes } from 'node:crypto'
import { images } from './images.ts'
import { apply, kubectl, podReady } from './programs.ts'

/** A PostgreSQL server in a cluster. */
export interface PostgresPod {
  /** For the chart's `database.postgres.url`. */
  url: string
  /** Runs SQL and gives what psql prints. */
  sql(text: string): Promise<string>
  /** Ends the server as a crash would, in the middle of whatever it does; it starts again on the same data. */
  crash(): Promise<void>
}

const port = 5432

/** One pod that is started again when it ends; its data live as long as the pod. */
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    automountServiceAccountToken: false,
    restartPolicy: 'Always',
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10001,
      runAsGroup: 10001,
      fsGroup: 10001,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'postgres',
        image: images.postgres,
        imagePullPolicy: 'IfNotPresent',
        env: [{ name: 'POSTGRES_PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }],
        readinessProbe: { exec: { command: ['pg_isready', '--host', '127.0.0.1'] }, periodSeconds: 1 },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'data', mountPath: '/var/lib/postgresql/data' },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [
      { name: 'data', emptyDir: { sizeLimit: '2Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
    ],
  },
})

/** Starts a real PostgreSQL server as a pod, which ends with its namespace. */
export const startPostgresPod = async (namespace: string): Promise<PostgresPod> => {
  const name = `postgres-${randomBytes(3).toString('hex')}`
  const password = randomBytes(16).toString('hex')
  await apply(namespace, [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { password } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port }] },
    },
    pod(name),
  ])
  const inPod = (...command: string[]) => kubectl(['--namespace', namespace, 'exec', name, '--', ...command])
  await podReady(namespace, name)
  const local = `postgres://berth@127.0.0.1:${port}/postgres`
  return {
    url: `postgres://berth:${password}@${name}.${namespace}.svc.cluster.local:${port}/postgres`,
    crash: async () => {
      // The first process of a container can't be killed from inside; this signal ends it without a word to anybody.
      await inPod('sh', '-c', 'kill -QUIT 1').catch((error) => {
        if (!/exit code 137|closed/.test(String(error))) throw error
      })
    },
    sql: (text) => inPod('sh', '-c', 'PGPASSWORD=$POSTGRES_PASSWORD exec psql -tA "$0" -c "$1"', local, text),
  }
}

import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { sampleRepository } from '@berth/scripted-model'
import { root } from '../../../tools/house/tracked-files.ts'
import { images } from './images.ts'
import { apply, kubectl, podReady } from './programs.ts'

/** Files of a repository: path → text. */
export type RepositoryFiles = Record<string, string>

/** A git server in a cluster. */
export interface GitPod {
  /** As the values of the chart name it: it has a private address and speaks plain http. */
  host: string
  /** The address of a repository, for pods. */
  url(repository: string): string
  /** Runs git in a repository of the server, and gives what it prints. */
  git(repository: string, ...args: string[]): Promise<string>
}

const port = 8080

/** The sample library, whose one test fails. */
export const sampleFiles = (): RepositoryFiles =>
  Object.fromEntries(
    readdirSync(sampleRepository, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((file) => [relative(sampleRepository, file), readFileSync(file, 'utf8')]),
  )

const main = `
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startGitHttpServer } from './server.ts'

const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'init.defaultBranch=main']
const git = (cwd, ...args) => execFileSync('git', [...author, ...args], { cwd })
for (const [name, files] of Object.entries(JSON.parse(readFileSync('/srv/repositories.json', 'utf8')))) {
  const work = join('/data/work', name)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, path)), { recursive: true })
    writeFileSync(join(work, path), text)
  }
  git(work, 'init', '--quiet')
  git(work, 'add', '--all')
  git(work, 'commit', '--quiet', '--message', 'First version')
  git('/data', 'clone', '--quiet', '--bare', work, join('/data', name + '.git'))
}
await startGitHttpServer({ root: '/data', host: '0.0.0.0', port: ${port} })
process.on('SIGTERM', () => process.exit(0))
`

const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'git',
        image: images.runner,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '--disable-warning=ExperimentalWarning', '/srv/main.mjs'],
        env: [{ name: 'HOME', value: '/data' }],
        readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [
          { name: 'programs', mountPath: '/srv' },
          { name: 'data', mountPath: '/data' },
        ],
      },
    ],
    volumes: [
      { name: 'programs', configMap: { name } },
      { name: 'data', emptyDir: { sizeLimit: '256Mi' } },
    ],
  },
})

/** Starts a real git server with repositories as a pod, which ends with its namespace. */
export const startGitPod = async (
  namespace: string,
  repositories: Record<string, RepositoryFiles>,
): Promise<GitPod> => {
  const name = `git-${randomBytes(3).toString('hex')}`
  const data = {
    'main.mjs': main,
    'server.ts': readFileSync(join(root, 'packages/testing/src/git-http-server.ts'), 'utf8'),
    'repositories.json': JSON.stringify(repositories),
  }
  await apply(namespace, [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: [{ port }] },
    },
    pod(name),
  ])
  await podReady(namespace, name)
  const host = `${name}.${namespace}.svc.cluster.local`
  return {
    host: `${host}:${port}`,
    url: (repository) => `http://${host}:${port}/${repository}.git`,
    git: (repository, ...args) =>
      kubectl([
        '--namespace',
        namespace,
        'exec',
        name,
        '--',
        'git',
        '-C',
        `/data/${repository}.git`,
        ...args,
      ]),
  }
}

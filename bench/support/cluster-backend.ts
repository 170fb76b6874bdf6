import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import type { KubernetesOptions } from '../../packages/runtime-kubernetes/src/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface ClusterBackend {
  url: string
  headers: Record<string, string>
  /** The most memory that it ever had, in MB. */
  peakMb(): Promise<number>
  /** The value of a metric over all its labels. */
  metric(name: string): Promise<number>
}

export interface ClusterBackendOptions {
  options: KubernetesOptions
  /** The address under which pods reach this machine. */
  address?: string
  env?: Record<string, string>
}

/** The backend as its image runs it, bundled, with the cluster of KUBECONFIG as its runtime. */
export const withClusterBackend = async <T>(
  { options, address = '127.0.0.1', env = {} }: ClusterBackendOptions,
  run: (backend: ClusterBackend) => Promise<T>,
): Promise<T> => {
  execFileSync(process.execPath, [join(root, 'tools/build/main.ts')], { cwd: root, stdio: 'ignore' })
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'))
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const file = join(directory, 'runtime.yaml')
  await writeFile(file, stringify({ ...options, network: { ...options.network, port } }))
  const child = spawn(process.execPath, [join(root, 'dist/backend/main.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      BERTH_DATA_DIR: directory,
      BERTH_PORT: '0',
      BERTH_RUNNER_HOST: address,
      BERTH_RUNNER_PORT: String(port),
      BERTH_RUNTIME: 'kubernetes',
      BERTH_KUBERNETES_CONFIG: file,
      BERTH_RUNNER_URL: `http://${address}:${port}`,
      BERTH_LOG_LEVEL: 'info',
      ...env,
    },
  })
  try {
    const url = await readyUrl(child)
    const token = (await readFile(join(directory, 'owner-token'), 'utf8')).trim()
    const headers = { authorization: `Bearer ${token}` }
    return await run({
      url,
      headers,
      peakMb: async () => {
        const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
        return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024
      },
      metric: async (name) => {
        const text = await (await fetch(`${url}/metrics`, { headers })).text()
        const lines = text
          .split('\n')
          .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
      },
    })
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await rm(directory, { recursive: true, force: true })
  }
}

const readyUrl = async (child: ChildProcess): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    text = (text + bytes.toString()).slice(-100_000)
    const found = /"url":"([^"]+)".*Berth is ready/.exec(text)
    if (found?.[1] !== undefined) resolve(found[1])
  })
  child.once('exit', (code) => reject(new Error(`the backend ended with code ${code}: ${text.slice(-2000)}`)))
  return promise
}

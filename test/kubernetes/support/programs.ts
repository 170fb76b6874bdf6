import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const run = (program: string, args: readonly string[], input: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 64 * 1024 ** 2 }, (error, stdout, stderr) =>
      error === null
        ? resolve(stdout)
        : reject(new Error(`${program} ${args.slice(0, 4).join(' ')}: ${stderr.trim() || error.message}`)),
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })

/** Runs kubectl on the cluster of KUBECONFIG and gives what it prints. */
export const kubectl = (args: readonly string[], input = ''): Promise<string> => run('kubectl', args, input)

/** Runs helm; `HELM` may name another program. */
export const helm = (args: readonly string[], input = ''): Promise<string> =>
  run(process.env.HELM || 'helm', args, input)

/** Makes objects, given as they would stand in a manifest. */
export const apply = (namespace: string, items: readonly object[]): Promise<string> =>
  kubectl(
    ['--namespace', namespace, 'apply', '--filename', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  )

/** The objects of a kind, in one namespace or in all. */
export const list = async <T>(
  kind: string,
  options: readonly string[] = ['--all-namespaces'],
): Promise<T[]> => {
  const text = await kubectl(['get', kind, ...options, '--output', 'json'])
  return JSON.parse(text).items
}

/** Waits until a pod is ready. */
export const podReady = async (namespace: string, pod: string): Promise<void> => {
  await kubectl([
    '--namespace',
    namespace,
    'wait',
    '--for=condition=Ready',
    `pod/${pod}`,
    '--timeout',
    '120s',
  ])
}

export interface Forward {
  url: string
  close(): Promise<void>
}

/** Makes a port of a pod or Service reachable from this machine, until it is closed or the pod ends. */
export const portForward = async (namespace: string, target: string, port: number): Promise<Forward> => {
  const child = spawn('kubectl', ['--namespace', namespace, 'port-forward', target, `:${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  const close = async () => {
    child.kill('SIGTERM')
    await ended
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const local = /127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    if (local === undefined) continue
    child.stdout.resume()
    return { url: `http://127.0.0.1:${local}`, close }
  }
  throw new Error(`kubectl port-forward ${target} ended: ${said.trim()}`)
}

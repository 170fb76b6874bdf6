import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Runs kubectl with text on its standard input, and gives what it prints. Rejects with what it complains of. */
export const kubectl = (args: readonly string[], input = ''): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile('kubectl', args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout + stderr) : reject(new Error(stderr || error.message)),
    )
    child.stdin?.end(input)
  })

/** The value of one field of an object. */
export const fieldOf = (object: readonly string[], path: string): Promise<string> =>
  kubectl(['get', ...object, '--output', `jsonpath=${path}`])

export const apply = (...objects: object[]): Promise<string> =>
  kubectl(['apply', '--filename', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))

/** A way to a Service from this machine. */
export interface Forwarding {
  url: string
  close(): Promise<void>
}

/** Opens a way to a port of a Service; it leads to one pod, and ends with it. */
export const forward = async (namespace: string, service: string, port: number): Promise<Forwarding> => {
  const child = spawn(
    'kubectl',
    ['--namespace', namespace, 'port-forward', `service/${service}`, `:${port}`],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const said: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
  for await (const line of createInterface({ input: child.stdout })) {
    const [, local] = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line) ?? []
    if (local === undefined) continue
    // Nobody reads any more, and it must not wait for that.
    child.stdout.resume()
    return {
      url: `http://127.0.0.1:${local}`,
      close: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill()
        await once(child, 'exit')
      },
    }
  }
  throw new Error(`There is no way to ${service}: ${said.join('; ')}`)
}

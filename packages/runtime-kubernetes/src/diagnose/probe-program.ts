/** An address that a pod tries to reach. */
export interface ProbeTarget {
  name: string
  host: string
  port: number
}

/** What a probe is asked to try. */
export interface ProbeTask {
  /** A name that the cluster answers. */
  lookUp: string
  /** Must be reached: any answer counts. */
  backendUrl: string
  /** Must not be reached. */
  forbidden: ProbeTarget[]
}

/** What a probe found: `ok`, `open` for a target, or the code of the error. */
export interface ProbeReport {
  lookUp: string
  backend: string
  forbidden: Record<string, string>
}

/** Environment variable with the task. */
export const taskVariable = 'BERTH_PROBE'

/** Port on which the other pod listens. */
export const listenPort = 8080

/**
 * Runs in a pod with nothing but Node. What must work is tried until it does, for a while. What must not is tried as often,
 * and the last try counts: a network plugin may take seconds until a new pod's rules are there, and the other pod until it
 * listens. The report goes where the kubelet passes it on without a right to read logs.
 */
export const probeProgram = `
const net = require('node:net')
const dns = require('node:dns').promises
const fs = require('node:fs')
const task = JSON.parse(process.env.${taskVariable})
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const codeOf = (error) => String(error.cause?.code ?? error.code ?? error.message)
const until = async (wanted, tries, once) => {
  for (let result, left = tries; ; left--) {
    result = await once().catch(codeOf)
    if (wanted(result) || left <= 1) return result
    await sleep(1000)
  }
}
const reach = ({ host, port }) => new Promise((resolve) => {
  const own = { KUBERNETES: process.env.KUBERNETES_SERVICE_HOST }
  const socket = net.connect({ host: own[host] ?? host, port, timeout: 2000 })
  const end = (result) => { socket.destroy(); resolve(result) }
  socket.on('connect', () => end('open'))
  socket.on('timeout', () => end('ETIMEDOUT'))
  socket.on('error', (error) => end(codeOf(error)))
})
const isOk = (result) => result === 'ok'
const main = async () => {
  const lookUp = until(isOk, 5, () => dns.lookup(task.lookUp).then(() => 'ok'))
  const backend = until(isOk, 5, () => fetch(task.backendUrl, { signal: AbortSignal.timeout(5000) }).then(() => 'ok'))
  const forbidden = await Promise.all(task.forbidden.map(async (target) => [
    target.name, await until(() => false, 5, () => reach(target)),
  ]))
  return { lookUp: await lookUp, backend: await backend, forbidden: Object.fromEntries(forbidden) }
}
main().then((report) => fs.writeFileSync('/dev/termination-log', JSON.stringify(report)))
`

/** A pod that lets anybody in, as far as the network does. */
export const listenProgram = `
require('node:net').createServer((socket) => socket.end('reached')).listen(${listenPort})
process.on('SIGTERM', () => process.exit(0))
`

/** What a program finds out about its own place: where it gets to, and what it is and sees there. */
export interface Inside {
  /** By address: `open`, or why it was not reached. */
  reached: Record<string, string>
  /** Status of answers of the runners' port: without a token, and with a made-up one. */
  runnersPort: number[]
  status: Record<string, string>
  uid: number
  /** Of processes whose environment names or holds the runner's token. */
  withToken: string[]
  commands: string[]
  serviceAccount: boolean
  /** Places outside of what is the agent's that could be written to. */
  writable: string[]
}

/** What the program is asked to try. */
export interface InsideTask {
  /** host:port */
  targets: string[]
  runnersUrl: string
  /** SHA-256 of the runner's token, in hex. */
  tokenHash: string
}

/** A program of Node that prints an `Inside`. */
export const insideProgram = (task: InsideTask): string => `
const task = ${JSON.stringify(task)}
const fs = require('node:fs'), net = require('node:net'), { createHash } = require('node:crypto')
const reach = (target) => new Promise((resolve) => {
  const at = target.lastIndexOf(':')
  const socket = net.connect({ host: target.slice(0, at), port: Number(target.slice(at + 1)), timeout: 4000 })
  const end = (result) => { socket.destroy(); resolve([target, result]) }
  socket.on('connect', () => end('open'))
  socket.on('timeout', () => end('no answer'))
  socket.on('error', (error) => end(String(error.code)))
})
const ask = (headers) => fetch(task.runnersUrl + '/runner/hello', { method: 'POST', headers, body: '{}' }).then((r) => r.status, () => 0)
const pids = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
const read = (pid, file) => { try { return fs.readFileSync('/proc/' + pid + '/' + file, 'utf8') } catch { return '' } }
const holdsToken = (pid) => read(pid, 'environ').split('\\0').some((entry) => {
  const value = entry.slice(entry.indexOf('=') + 1)
  return entry.includes('BERTH_RUNNER_TOKEN') || createHash('sha256').update(value).digest('hex') === task.tokenHash
})
const canWrite = (directory) => {
  try {
    fs.writeFileSync(directory + '/berth-probe', '')
    return true
  } catch { return false }
}
Promise.all([
  Promise.all(task.targets.map(reach)),
  ask({}), ask({ authorization: 'Bearer ' + 'x'.repeat(40) }),
]).then(([reached, none, wrong]) => console.log(JSON.stringify({
  reached: Object.fromEntries(reached),
  runnersPort: [none, wrong],
  status: Object.fromEntries(read('self', 'status').split('\\n').map((line) => line.split(/:\\s*/))),
  uid: process.getuid(),
  withToken: pids.filter(holdsToken),
  commands: pids.map((pid) => read(pid, 'cmdline').replaceAll('\\0', ' ').trim()),
  serviceAccount: fs.existsSync('/var/run/secrets/kubernetes.io'),
  writable: ['/', '/etc', '/usr/local/bin', '/opt/berth', '/opt/berth/claude', '/run/berth', '/setup', '/attachments'].filter(canWrite),
})))
`

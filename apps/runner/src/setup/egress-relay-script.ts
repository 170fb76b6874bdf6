import { posix } from 'node:path'
import { nodeInside } from '../agent/sandboxed-claude.ts'
import type { Layout } from '../layout.ts'

/** Names in the set-up directory. */
export const egressRelayFile = 'egress-relay.mjs'
export const authorityFile = 'egress-authority.pem'

/** The beginning of a command that is started with a way to other hosts. */
export const egressRelay = (layout: Layout): string[] => {
  const { setup, door } = layout.inside
  return [nodeInside(layout), posix.join(setup, egressRelayFile), door, posix.join(setup, authorityFile)]
}

/**
 * Plain JavaScript, because it runs inside the sandbox by itself: opens a port of the sandbox's own loopback behind which is
 * the door, and runs a command that is told of it as of a proxy. Programs can't speak with a unix socket. Whatever ends the
 * command ends this, with the same outcome.
 */
export const egressRelayScript = `import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'

const [door, authority, command, ...args] = process.argv.slice(2)

const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ path: door, allowHalfOpen: true })
  for (const [one, other] of [[near, far], [far, near]]) {
    one.on('error', () => other.destroy())
    one.pipe(other)
  }
})
server.maxConnections = 192

const trusting = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'PIP_CERT', 'AWS_CA_BUNDLE',
  'npm_config_cafile', 'YARN_HTTPS_CA_FILE_PATH', 'CARGO_HTTP_CAINFO', 'BUNDLE_SSL_CA_CERT', 'DENO_CERT', 'NIX_SSL_CERT_FILE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH']

const start = () => {
  const proxy = 'http://127.0.0.1:' + server.address().port
  const own = 'localhost,127.0.0.1,::1,gateway'
  const env = { ...process.env, NODE_USE_ENV_PROXY: '1', NO_PROXY: own, no_proxy: own }
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) env[name] = env[name.toLowerCase()] = proxy
  for (const name of trusting) env[name] = authority
  const child = spawn(command, args, { stdio: 'inherit', env })
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.once('error', (error) => {
    process.stderr.write(command + ' could not be started: ' + error.message + '\\n')
    process.exit(127)
  })
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

server.listen(0, '127.0.0.1', start)
`

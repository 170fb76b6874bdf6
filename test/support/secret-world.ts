import { once } from 'node:events'
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SecretKind } from '@berth/contract'
import { builtInScenarios, createScriptedModel, fingerprintOf, loadScenarios } from '@berth/scripted-model'
import { startGitHttpServer } from '@berth/testing'
import { startHttpMcpServer } from './mcp-server.ts'
import { processesNaming } from './processes.ts'
import { git, sampleRepo } from './sample.ts'
import { create, ended, setProject } from './talk.ts'
import { project, type World, withWorld } from './world.ts'

/** A value of each kind, that nothing else looks like. */
const canaries = {
  model: 'sk-CANARY-model-1f0c3',
  git: 'CANARY/git+token-2e9b7',
  mcp: 'CANARY/mcp header-3d8a6',
  egress: 'CANARY/egress+header-4c7f5',
  shown: 'CANARY/environment+value-5b6e4',
}

const kinds: Record<keyof typeof canaries, SecretKind> = {
  model: 'model-provider',
  git: 'git-host',
  mcp: 'http-header',
  egress: 'http-header',
  shown: 'environment',
}

/** A backend whose project has a secret of each kind, and a session whose first turn is over. */
export interface SecretWorld {
  world: World
  session: string
  canaries: typeof canaries
  egressUrl: string
  /** The repository that the git server has. */
  origin: string
  /** Which values arrived where they were meant for. */
  used(): Promise<Record<'model' | 'git' | 'mcp' | 'egress', boolean>>
  /** Processes besides those in the sandbox that name one of the values. */
  processes(values: string[]): Promise<string[]>
}

export const filesBelow = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** What secrets are for: a model, a git server, an MCP server and another host, each of which wants its value. */
const startServers = async () => {
  const root = await mkdtemp(join(tmpdir(), 'berth-canaries-'))
  await git(root, 'clone', '-q', '--bare', await sampleRepo(root, 'sample'), 'private.git')
  const basic = `Basic ${Buffer.from(`x-access-token:${canaries.git}`).toString('base64')}`
  const origin = await startGitHttpServer({
    root,
    route: async (request, response, path) => {
      if (request.headers.authorization === basic) return path
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return undefined
    },
  })
  const keys: unknown[] = []
  const host = createServer((request, response) => {
    keys.push(request.headers['x-key'])
    response.end(`you sent ${request.headers['x-key']}`)
  })
  // Not the address that programs take for the sandbox's own.
  host.listen(0, '127.0.0.2')
  await once(host, 'listening')
  const model = createScriptedModel({ scenarios: await loadScenarios(builtInScenarios) })
  const [{ url: modelUrl, close: closeModel }, mcp] = await Promise.all([
    model.listen(),
    startHttpMcpServer(),
  ])
  const close = async () => {
    host.close()
    host.closeAllConnections()
    await Promise.all([origin.close(), mcp.close(), closeModel()])
    await rm(root, { recursive: true, force: true })
  }
  return { root, origin, mcp, model, modelUrl, keys, port: (host.address() as AddressInfo).port, close }
}

type Servers = Awaited<ReturnType<typeof startServers>>

export const withSecretWorld = async (test: (world: SecretWorld) => Promise<void>): Promise<void> => {
  const servers = await startServers()
  const gitHost = new URL(servers.origin.url).host
  try {
    await withWorld(async (world) => test(await prepare(world, servers)), { BERTH_GIT_HOSTS: gitHost })
  } finally {
    await servers.close()
  }
}

const prepare = async (world: World, servers: Servers): Promise<SecretWorld> => {
  const { origin, mcp, model, modelUrl, keys, port } = servers
  for (const [name, value] of Object.entries(canaries) as [keyof typeof canaries, string][])
    await world.client.putSecret({
      params: { project, name },
      body: { kind: kinds[name], value, note: '', variable: name === 'shown' ? 'SHOWN' : undefined },
    })
  await setProject(world, {
    modelProvider: { kind: 'anthropic', url: modelUrl, keys: ['model'], header: 'x-api-key' },
    gitCredentials: [{ kind: 'token', host: new URL(origin.url).host, as: 'basic', secret: 'git' }],
    mcpServers: { far: { type: 'http', url: mcp.url, headers: { authorization: `Bearer \${secret:mcp}` } } },
    egress: [{ host: '127.0.0.2', port, scheme: 'http', headers: { 'X-Key': `\${secret:egress}` } }],
  } as Parameters<typeof setProject>[1])
  const session = await create(world, {
    prompt: 'run: (sleep 120 > /dev/null 2>&1 &); echo ready',
    repositories: [{ url: `${origin.url}/private.git` }],
  })
  await world.until(session, ended)
  return {
    ...{ world, session, canaries, egressUrl: `http://127.0.0.2:${port}/` },
    origin: join(servers.root, 'private.git'),
    used: async () => ({
      model: model.requests.some(
        ({ credential }) => credential?.fingerprint === fingerprintOf(canaries.model),
      ),
      git: (await git(join(servers.root, 'private.git'), 'branch', '--list', `berth/${session}`)) !== '',
      mcp: mcp.requests.some(({ headers }) => headers.authorization === `Bearer ${canaries.mcp}`),
      egress: keys.includes(canaries.egress),
    }),
    processes: async (values) => {
      const found = (await Promise.all(values.map(processesNaming))).flat()
      return (await Promise.all(found.map((pid) => outside(pid, values)))).flat()
    },
  }
}

/** What it is, unless it is in a sandbox and has the value in its environment only. */
const outside = async (pid: number, values: string[]): Promise<string[]> => {
  const [command, own, parent] = await Promise.all([
    readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
    namespaceOf(pid),
    namespaceOf(process.pid),
  ])
  const allowed = values.every((value) => value === canaries.shown && !command.includes(value))
  return allowed && own !== parent ? [] : [`${pid} ${command.replaceAll('\0', ' ')}`]
}

/** Its namespace of processes; a process that has ended is nobody's. */
const namespaceOf = (pid: number) => readlink(`/proc/${pid}/ns/pid`).catch(() => 'ended')

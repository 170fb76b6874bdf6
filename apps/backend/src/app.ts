import type { ServerResponse } from 'node:http'
import { type Actor, isShutByArchive, type Route, routes, runnerRoutes } from '@berth/contract'
import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Principal } from './auth/principal.ts'
import { accessEndpoints } from './http/access.ts'
import { requestAudits } from './http/audit.ts'
import { auditEndpoints } from './http/audit-log.ts'
import { bareApp } from './http/bare-app.ts'
import { baseEndpoints } from './http/bases.ts'
import { changeEndpoints } from './http/changes.ts'
import { checkpointEndpoints } from './http/checkpoints.ts'
import { conversationEndpoints } from './http/conversation.ts'
import type { Deps } from './http/deps.ts'
import { documentation } from './http/documentation.ts'
import { egressEndpoints } from './http/egress.ts'
import { eventEndpoints } from './http/events.ts'
import { fileChangeEndpoints } from './http/file-changes.ts'
import { fileEndpoints } from './http/files.ts'
import { gitEndpoints } from './http/git.ts'
import { gitCredentialEndpoints } from './http/git-credentials.ts'
import { checkHost, checkOrigin } from './http/guard.ts'
import { identify } from './http/identify.ts'
import { issuerLogoutEndpoint } from './http/issuer-logout.ts'
import { keyEndpoints } from './http/keys.ts'
import { logEndpoints } from './http/logs.ts'
import { memberEndpoints } from './http/members.ts'
import { modelProviderEndpoints } from './http/model-provider.ts'
import { projectLifeEndpoints } from './http/project-life.ts'
import { projectEndpoints } from './http/projects.ts'
import { queueEndpoints } from './http/queue.ts'
import { rateLimits } from './http/rate-limits.ts'
import { usualRateLimits } from './http/rate-settings.ts'
import { repositoryEndpoints } from './http/repositories.ts'
import { authoriseRunner, blobUpload, modelEndpoints, runnerEndpoints } from './http/runner.ts'
import { mcpEndpoints, runnerSetupEndpoints } from './http/runner-setup.ts'
import { secretEndpoints } from './http/secrets.ts'
import { sessionSettingsEndpoints } from './http/session-settings.ts'
import { sessionEndpoints } from './http/sessions.ts'
import { sharingEndpoints } from './http/sharing.ts'
import { signInEndpoints } from './http/sign-in.ts'
import type { Guard } from './http/stream-guard.ts'
import { systemEndpoints } from './http/system.ts'
import { uploadBytesEndpoint, uploadEndpoints } from './http/uploads.ts'
import { usageEndpoints } from './http/usage.ts'
import { archived } from './store/append/check-project.ts'
import type { Store } from './store/port.ts'

/** The API for people and their programs. Builds it from its dependencies; never listens. */
export const createApp = async (deps: Deps): Promise<FastifyInstance> => {
  const app = bareApp(deps, Object.values(routes))
  await app.register(cookie)
  app.addHook('onRequest', (request, _reply, done) => {
    try {
      const { headers } = request
      // Where a trusted proxy passes it on, the name that the browser used is in its own header.
      const host = request.host ?? ''
      checkHost(host, deps.allowedHosts)
      checkOrigin({ headers, host }, request.method === 'GET' && !request.url.startsWith('/api/'))
      done()
    } catch (error) {
      done(error as Error)
    }
  })
  const options = {
    checkAnswers: deps.checkAnswers ?? false,
    store: deps.store,
    audits: requestAudits(deps),
    hide: (project: string, texts: string[]) => deps.secrets.hide(project, texts),
    watch: (response: ServerResponse, guard: Guard) => deps.streams.watch(response, guard),
    count: await rateLimits(app, deps.rateLimits ?? usualRateLimits),
    authorise: async (request: FastifyRequest, row: Route): Promise<Principal> => {
      // A credential that is no good any more must not keep anybody from what is open to all.
      if (row.role === 'public') return nobody
      const principal = await identify(deps, request)
      // Also of one who is refused: the audit names them.
      request.principal = principal ?? null
      const params = request.params as Record<string, string>
      await deps.access.authorise(principal, row, params)
      await refuseArchived(deps.store, row, params.project)
      return principal ?? nobody
    },
  }
  await documentation(app)
  systemEndpoints(app, deps, options)
  signInEndpoints(app, deps, options)
  projectEndpoints(app, deps, options)
  projectLifeEndpoints(app, deps, options)
  accessEndpoints(app, deps, options)
  memberEndpoints(app, deps, options)
  keyEndpoints(app, deps, options)
  gitCredentialEndpoints(app, deps, options)
  modelProviderEndpoints(app, deps, options)
  queueEndpoints(app, deps, options)
  sessionEndpoints(app, deps, options)
  sessionSettingsEndpoints(app, deps, options)
  sharingEndpoints(app, deps, options)
  conversationEndpoints(app, deps, options)
  eventEndpoints(app, deps, options)
  changeEndpoints(app, deps, options)
  usageEndpoints(app, deps, options)
  repositoryEndpoints(app, deps, options)
  logEndpoints(app, deps, options)
  fileEndpoints(app, deps, options)
  uploadEndpoints(app, deps, options)
  secretEndpoints(app, deps, options)
  await app.register((scope, _, done) => {
    fileChangeEndpoints(scope, deps, options)
    uploadBytesEndpoint(scope, deps, options)
    done()
  })
  // Of no other row: a form is what another site's page can send unasked.
  await app.register((scope, _, done) => {
    issuerLogoutEndpoint(scope, deps, options)
    done()
  })
  checkpointEndpoints(app, deps, options)
  auditEndpoints(app, deps, options)
  return app
}

/** The runners' app, for a port of its own. Builds it from its dependencies; never listens. */
export const createRunnerApp = async (deps: Deps): Promise<FastifyInstance> => {
  const app = bareApp(
    { ...deps, requestTimeoutMs: deps.requestTimeoutMs ?? pushMs },
    Object.values(runnerRoutes),
  )
  closeStrangers(app)
  const options = {
    checkAnswers: deps.checkAnswers ?? false,
    store: deps.store,
    audits: requestAudits(deps),
    hide: (project: string, texts: string[]) => deps.secrets.hide(project, texts),
    authorise: async (request: FastifyRequest): Promise<Principal> => {
      const { session } = await authoriseRunner(deps, request)
      return strangerNamed({ kind: 'runner', id: session })
    },
  }
  runnerEndpoints(app, deps, options)
  runnerSetupEndpoints(app, deps, options)
  baseEndpoints(app, deps, options)
  await app.register((scope, _, done) => {
    blobUpload(scope, deps, options)
    done()
  })
  await app.register((scope, _, done) => {
    modelEndpoints(scope, deps)
    done()
  })
  await app.register((scope, _, done) => {
    mcpEndpoints(scope, deps)
    done()
  })
  await app.register((scope, _, done) => {
    gitEndpoints(scope, deps, options)
    done()
  })
  await app.register((scope, _, done) => {
    egressEndpoints(scope, deps, options)
    done()
  })
  return app
}

/** A whole push has to arrive within this time; without progress it is cut much sooner. */
const pushMs = 3_600_000

/** Whoever is not let in is not waited for either, however slowly the rest of the request comes. */
const closeStrangers = (app: FastifyInstance): void => {
  // biome-ignore lint/complexity/useMaxParams: Fastify's form of a hook that costs no promise
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.statusCode === 401) reply.header('connection', 'close')
    done(null, payload)
  })
}

/** What changes something in an archived project is refused before its body is read. */
const refuseArchived = async (store: Store, row: Route, project: string | undefined): Promise<void> => {
  if (project === undefined || !isShutByArchive(row)) return
  if ((await store.projectState(project)) === 'archived') throw archived(project)
}

/** Whose rights come from the row alone. */
const strangerNamed = (actor: Actor): Principal => ({
  actor,
  subjects: [],
  platformAdmin: false,
  mayCreateProjects: false,
})

const nobody: Principal = { ...strangerNamed({ kind: 'user', id: 'nobody' }), unlimited: true }

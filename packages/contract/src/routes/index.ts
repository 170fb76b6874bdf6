import { accessRoutes } from './access.ts'
import { auditRoutes } from './audit.ts'
import { checkpointRoutes } from './checkpoints.ts'
import { fileRoutes } from './files.ts'
import { gitCredentialRoutes } from './git-credentials.ts'
import { keyRoutes } from './keys.ts'
import { logRoutes } from './logs.ts'
import { memberRoutes } from './members.ts'
import { modelProviderRoutes } from './model-provider.ts'
import { projectRoutes } from './projects.ts'
import { queueRoutes } from './queue.ts'
import { repositoryRoutes } from './repositories.ts'
import type { Route } from './route.ts'
import { runnerRoutes } from './runner.ts'
import { secretRoutes } from './secrets.ts'
import { sessionSettingsRoutes } from './session-settings.ts'
import { sessionRoutes } from './sessions.ts'
import { sharingRoutes } from './sharing.ts'
import { signInRoutes } from './sign-in.ts'
import { systemRoutes } from './system.ts'
import { uploadRoutes } from './uploads.ts'
import { usageRoutes } from './usage.ts'

/** Every endpoint for people and their programs. */
export const routes = {
  ...systemRoutes,
  ...signInRoutes,
  ...projectRoutes,
  ...accessRoutes,
  ...memberRoutes,
  ...keyRoutes,
  ...gitCredentialRoutes,
  ...modelProviderRoutes,
  ...queueRoutes,
  ...sessionRoutes,
  ...sessionSettingsRoutes,
  ...sharingRoutes,
  ...repositoryRoutes,
  ...logRoutes,
  ...checkpointRoutes,
  ...usageRoutes,
  ...fileRoutes,
  ...uploadRoutes,
  ...secretRoutes,
  ...auditRoutes,
} as const

export type RouteName = keyof typeof routes
export type RunnerRouteName = keyof typeof runnerRoutes

/** All rows by name, those of the runners' port too. */
export const allRoutes: Record<string, Route> = { ...routes, ...runnerRoutes }

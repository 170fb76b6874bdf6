import type { Clock } from '@berth/runtime'
import type { KubernetesApi } from '../api/kubernetes-api.ts'
import type { Logger } from '../logger.ts'
import type { Tracker } from '../observe/tracker.ts'
import type { CompiledOptions } from '../options/schema.ts'
import type { Commands } from '../specs/containers.ts'
import type { ClusterView } from '../watch/cluster-view.ts'
import type { Changes } from './changes.ts'

/** What the actions work with. */
export interface Parts {
  api: KubernetesApi
  options: CompiledOptions
  commands: Commands
  view: ClusterView
  tracker: Tracker
  changes: Changes
  clock: Clock
  log: Logger
}

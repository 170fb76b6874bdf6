import { systemClock } from '@berth/runtime'
import type { V1TokenReview } from '@kubernetes/client-node'
import { ClusterAccess } from './api/cluster-access.ts'
import { KubernetesApi } from './api/kubernetes-api.ts'
import { kinds } from './api/resources.ts'
import { checkReviewRight } from './diagnose/rights.ts'

/** What the API server says about a token. */
export type ReviewedToken =
  | { authenticated: false; reason?: string }
  | { authenticated: true; user: string; groups: readonly string[]; audiences: readonly string[] }

export interface TokenReviewerOptions {
  /** The text of a kubeconfig. Default: that of KUBECONFIG, or of the pod. */
  kubeconfig?: string
  /** Milliseconds that the API server may take to answer, which it gets twice. Default: 5000. */
  timeoutMs?: number
}

/** Someone waits for the answer, and each token is asked about once a minute at most. */
const asked = { qps: 100, burst: 200, parallel: 32, retries: 1 }

/**
 * Asks a cluster whose a token is. `review` rejects when the API server does not answer, may not be asked, or answers something
 * else; the token goes nowhere else. Throws when no cluster is configured.
 */
export const createTokenReviewer = ({ kubeconfig, timeoutMs = 5000 }: TokenReviewerOptions = {}) => {
  const access = ClusterAccess.load(kubeconfig)
  const api = new KubernetesApi({ access, options: { ...asked, timeoutMs }, clock: systemClock })
  return {
    review: async (token: string, audience: string): Promise<ReviewedToken> => {
      const review: V1TokenReview = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [audience] },
      }
      return reviewedOf(await api.create({ kind: kinds.tokenReviews }, review))
    },
    /** Whether `review` may ask, with a repair where it may not. Never rejects. */
    check: () => checkReviewRight(api),
    /** Ends its connections; what is asked meanwhile is rejected. Idempotent. */
    close: () => access.close(),
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const areTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)

/** `authenticated` is left out when it is false, as Kubernetes leaves out what is empty. */
const reviewedOf = (review: V1TokenReview | null): ReviewedToken => {
  const status = review?.status
  if (typeof status !== 'object' || status === null)
    throw new Error('The API server answered no TokenReview.')
  if (status.authenticated !== true)
    return { authenticated: false, ...(isText(status.error) && { reason: status.error }) }
  const { username, groups = [] } = status.user ?? {}
  const { audiences = [] } = status
  if (!isText(username) || !areTexts(groups) || !areTexts(audiences))
    throw new Error('The API server answered a TokenReview that names nobody.')
  return { authenticated: true, user: username, groups, audiences }
}

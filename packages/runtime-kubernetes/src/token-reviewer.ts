import { AuthenticationV1Api } from '@kubernetes/client-node'
import { ClusterAccess } from './api/cluster-access.ts'

/** What the API server says about a token. */
export type ReviewedToken =
  | { authenticated: false; reason?: string }
  | { authenticated: true; user: string; groups: readonly string[]; audiences: readonly string[] }

/** Milliseconds that a review may take. */
const reviewMs = 10_000

/**
 * Asks the cluster of KUBECONFIG, or of the pod, whose a token is. `review` rejects when the API server does not answer; it sends
 * the token nowhere else.
 */
export const createTokenReviewer = () => {
  const access = ClusterAccess.load()
  const api = access.makeApiClient(AuthenticationV1Api)
  return {
    review: async (token: string, audience: string): Promise<ReviewedToken> => {
      const spec = { token, audiences: [audience] }
      const { promise: late, reject } = Promise.withResolvers<never>()
      const timer = setTimeout(() => reject(new Error(`no answer in ${reviewMs} ms`)), reviewMs)
      try {
        const { status } = await Promise.race([api.createTokenReview({ body: { spec } }), late])
        if (status?.authenticated !== true) return { authenticated: false, reason: status?.error }
        const { user, audiences = [] } = status
        return { authenticated: true, user: user?.username ?? '', groups: user?.groups ?? [], audiences }
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => access.close(),
  }
}

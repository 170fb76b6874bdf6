import { kubectl } from './kubectl.ts'

interface Slices {
  items: { endpoints?: { addresses: string[] }[] }[]
}

/**
 * Who answers names in this cluster, as `runners.network.dns` of the chart takes it: nothing for the usual pods, addresses
 * where a program outside of pods does it.
 */
export const clusterDns = async (): Promise<{ cidrs?: string[] }> => {
  const query = ['--namespace=kube-system', '--output=json']
  const pods = JSON.parse(await kubectl(['get', 'pods', '--selector=k8s-app=kube-dns', ...query]))
  if (pods.items.length > 0) return {}
  const selector = '--selector=kubernetes.io/service-name=kube-dns'
  const { items }: Slices = JSON.parse(await kubectl(['get', 'endpointslices', selector, ...query]))
  const cidrs = items.flatMap(({ endpoints = [] }) =>
    endpoints.flatMap(({ addresses }) => addresses.map((ip) => `${ip}/${ip.includes(':') ? 128 : 32}`)),
  )
  return cidrs.length === 0 ? {} : { cidrs }
}

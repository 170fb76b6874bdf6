import { BlockList, isIP } from 'node:net'

/**
 * Where an address leads: to the public internet; to a private network or this machine; or, `closed`, to what nobody means to
 * ask: metadata services, link-local and shared addresses, multicast, documentation, and IPv4 addresses written as IPv6.
 */
export type AddressKind = 'public' | 'private' | 'closed'

/** What of IPv4 is not the public internet: this machine, private and shared networks, metadata, documentation, multicast. */
const closed4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** Of the global range of IPv6: what leads to IPv4 addresses by another name, and documentation. */
const closed6 = [
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const closed = new BlockList()
for (const [network, prefix] of closed4) closed.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of closed6) closed.addSubnet(network, prefix, 'ipv6')

/** Everything else of IPv6 is local, multicast, or an IPv4 address in disguise. */
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')

/** What a home, an office, a cluster and this machine have. */
const private4 = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const
const privateRanges = new BlockList()
for (const [network, prefix] of private4) privateRanges.addSubnet(network, prefix, 'ipv4')
privateRanges.addAddress('::1', 'ipv6')
privateRanges.addSubnet('fc00::', 7, 'ipv6')

/** Metadata services of clouds that lie in private ranges. */
const metadata = new BlockList()
metadata.addAddress('100.100.100.200', 'ipv4')
metadata.addSubnet('fd00:ec2::', 32, 'ipv6')
metadata.addSubnet('fd20:ce::', 32, 'ipv6')

/** Whether an IP address is one of the public internet. */
export const isPublicAddress = (address: string): boolean => {
  const family = isIP(address)
  if (family === 4) return !closed.check(address, 'ipv4')
  if (family === 6) return global6.check(address, 'ipv6') && !closed.check(address, 'ipv6')
  return false
}

/** What is no address at all is closed. */
export const kindOf = (address: string): AddressKind => {
  if (isPublicAddress(address)) return 'public'
  // BlockList takes an IPv4 address in IPv6 for the one that it stands for.
  if (address.toLowerCase().startsWith('::ffff:')) return 'closed'
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
  if (isIP(address) === 0 || metadata.check(address, family)) return 'closed'
  return privateRanges.check(address, family) ? 'private' : 'closed'
}

import { readFileSync } from 'node:fs'

/** Settings of the kernel that can keep an ordinary user from making user namespaces; `undefined`: not there. */
export interface UserNamespaceFacts {
  isRoot: boolean
  /** kernel.apparmor_restrict_unprivileged_userns, 1 on Ubuntu since 24.04. */
  apparmorRestriction: number | undefined
  /** kernel.unprivileged_userns_clone, 0 on some hardened kernels. */
  unprivilegedClone: number | undefined
  /** user.max_user_namespaces */
  maximum: number | undefined
}

function setting(path: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${path}`, 'utf8'))
  } catch {
    return undefined
  }
}

export function readUserNamespaceFacts(): UserNamespaceFacts {
  return {
    isRoot: process.getuid?.() === 0,
    apparmorRestriction: setting('kernel/apparmor_restrict_unprivileged_userns'),
    unprivilegedClone: setting('kernel/unprivileged_userns_clone'),
    maximum: setting('user/max_user_namespaces'),
  }
}

const PROFILE =
  'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n'

/** One line that lets bubblewrap make user namespaces, `undefined` when nothing known keeps it from that. */
export function userNamespaceAdvice(facts: UserNamespaceFacts): string | undefined {
  const sudo = facts.isRoot ? '' : 'sudo '
  const lasting = (name: string, value: number): string =>
    `echo ${name}=${value} | ${sudo}tee /etc/sysctl.d/60-berth.conf && ${sudo}sysctl --system`
  if (facts.maximum === 0) return lasting('user.max_user_namespaces', 15000)
  if (!facts.isRoot && facts.unprivilegedClone === 0) return lasting('kernel.unprivileged_userns_clone', 1)
  if (!facts.isRoot && facts.apparmorRestriction === 1) {
    const load = `${sudo}apparmor_parser -r /etc/apparmor.d/bwrap`
    return `printf '${PROFILE}' | ${sudo}tee /etc/apparmor.d/bwrap && ${load}`
  }
  return undefined
}

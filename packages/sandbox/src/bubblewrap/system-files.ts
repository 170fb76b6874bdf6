import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs'

/** What of the host's system is shown, read-only. Read once: it is the same for every command. */
export interface SystemFiles {
  directories: readonly string[]
  links: readonly { path: string; target: string }[]
  /** Entries of /proc that tell about, or reach, the machine beyond the sandbox. */
  maskedProc: readonly string[]
  /** Directories of /proc that must not be written. */
  readOnlyProc: readonly string[]
}

const ROOT_DIRECTORIES = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

/** Only what programs need to run, and nothing that holds accounts, keys or other machines' names. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'debian_version',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'lsb-release',
  'magic',
  'mime.types',
  'os-release',
  'perl',
  'pki/ca-trust/extracted',
  'pki/tls/cert.pem',
  'pki/tls/certs',
  'pki/tls/openssl.cnf',
  'protocols',
  'python3',
  'services',
  'shells',
  'ssl/cert.pem',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
]
const ETC_FAMILIES = [/^java(-\d[\w.-]*)?$/, /^python\d[\d.]*$/]

const MASKED_PROC = [
  'iomem',
  'ioports',
  'kallsyms',
  'kcore',
  'key-users',
  'keys',
  'kmsg',
  'kpagecgroup',
  'kpagecount',
  'kpageflags',
  'latency_stats',
  'mtrr',
  'pagetypeinfo',
  'sched_debug',
  'slabinfo',
  'sysrq-trigger',
  'timer_list',
  'vmallocinfo',
]
/**
 * The kernel lets their owner write to many files below these without any capability, and under a driver
 * that is root the agent is that owner: `/proc/sys/kernel/core_pattern` alone would give it the machine.
 */
const READ_ONLY_PROC = ['acpi', 'bus', 'driver', 'fs', 'irq', 'pressure', 'scsi', 'sys']

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

export function readSystemFiles(): SystemFiles {
  const roots = ROOT_DIRECTORIES.flatMap((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    return stat ? [{ path, link: stat.isSymbolicLink() }] : []
  })
  const families = list('/etc').filter((name) => ETC_FAMILIES.some((family) => family.test(name)))
  const etc = [...new Set([...ETC, ...families])].map((name) => `/etc/${name}`).filter(existsSync)
  return {
    directories: [
      '/usr',
      ...roots.filter(({ link }) => !link).map(({ path }) => path),
      ...['/nix/store'].filter(existsSync),
      ...etc,
    ],
    links: roots.filter(({ link }) => link).map(({ path }) => ({ path, target: readlinkSync(path) })),
    maskedProc: MASKED_PROC.map((name) => `/proc/${name}`).filter(existsSync),
    readOnlyProc: READ_ONLY_PROC.map((name) => `/proc/${name}`).filter(existsSync),
  }
}

export const AGENT_ID = 1000
export const HOSTNAME = 'sandbox'

/** Files of /etc that would tell about the host, made up instead. */
export function syntheticFiles(home: string | undefined): Record<string, string> {
  // A colon or a line break would forge an entry.
  const safeHome = home && /^\/[^:\n]*$/.test(home) ? home : '/'
  const shell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh'
  return {
    '/etc/passwd': `agent:x:${AGENT_ID}:${AGENT_ID}:agent:${safeHome}:${shell}\nnobody:x:65534:65534:nobody:/:/bin/false\n`,
    '/etc/group': `agent:x:${AGENT_ID}:\nnogroup:x:65534:\n`,
    '/etc/hosts': `127.0.0.1 localhost ${HOSTNAME}\n::1 localhost ${HOSTNAME}\n`,
    '/etc/hostname': `${HOSTNAME}\n`,
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  }
}

interface PackageManager {
  /** Values of ID and ID_LIKE in os-release. */
  families: readonly string[]
  install: string
  packages: string
}

const MANAGERS: readonly PackageManager[] = [
  { families: ['debian', 'ubuntu'], install: 'apt-get install -y', packages: 'bubblewrap ripgrep git' },
  {
    families: ['fedora', 'rhel', 'centos', 'amzn'],
    install: 'dnf install -y',
    packages: 'bubblewrap ripgrep git',
  },
  { families: ['arch'], install: 'pacman -S --needed --noconfirm', packages: 'bubblewrap ripgrep git' },
  {
    families: ['suse', 'opensuse'],
    install: 'zypper --non-interactive install',
    packages: 'bubblewrap ripgrep git',
  },
  { families: ['alpine'], install: 'apk add', packages: 'bubblewrap ripgrep git util-linux-misc' },
]

/** A value of os-release, without its quotes. */
function field(osRelease: string, name: string): string {
  const line = osRelease.split('\n').find((one) => one.startsWith(`${name}=`)) ?? ''
  return line
    .slice(name.length + 1)
    .replaceAll(/^["']|["']$/g, '')
    .trim()
}

/** Distributions whose own package is older than 0.8. */
function tooOld(id: string, version: number): string | undefined {
  const newer: Record<string, { before: number; use: string }> = {
    ubuntu: { before: 23.04, use: 'Ubuntu 24.04' },
    debian: { before: 12, use: 'Debian 12' },
  }
  const rule = newer[id]
  return rule && version < rule.before ? rule.use : undefined
}

/**
 * The one line that installs bubblewrap, ripgrep and git. `osRelease` is the text of /etc/os-release, `arch`
 * as `process.arch` says it.
 */
export function installAdvice(osRelease: string, arch: string, isRoot: boolean): string {
  if (arch !== 'x64' && arch !== 'arm64')
    return `Use a machine with x64 or arm64: there is no sandbox on ${arch}.`
  const id = field(osRelease, 'ID')
  const better = tooOld(id, Number.parseFloat(field(osRelease, 'VERSION_ID')))
  if (better)
    return `Upgrade to ${better} or newer: bubblewrap 0.8 is needed, and this release has an older one.`
  const families = [id, ...field(osRelease, 'ID_LIKE').split(' ')]
  const manager = MANAGERS.find((one) => one.families.some((family) => families.includes(family)))
  if (!manager)
    return 'Install bubblewrap (0.8 or newer), ripgrep and git with the package manager of this system.'
  const sudo = isRoot ? '' : 'sudo '
  const refresh = manager.install.startsWith('apt-get') ? `${sudo}apt-get update && ` : ''
  return `${refresh}${sudo}${manager.install} ${manager.packages}`
}

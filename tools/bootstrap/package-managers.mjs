/**
 * How each package manager refreshes its lists and installs what the sandbox needs. The first one that is found
 * in PATH is used.
 *
 * @typedef {{ program: string, refresh?: string[], install: string[] }} PackageManager
 * @type {PackageManager[]}
 */
export const packageManagers = [
  {
    program: 'apt-get',
    refresh: ['apt-get', 'update'],
    install: ['apt-get', 'install', '-y', 'bubblewrap', 'ripgrep', 'git'],
  },
  { program: 'dnf', install: ['dnf', 'install', '-y', 'bubblewrap', 'ripgrep', 'git'] },
  { program: 'pacman', install: ['pacman', '-S', '--needed', '--noconfirm', 'bubblewrap', 'ripgrep', 'git'] },
  {
    program: 'zypper',
    install: ['zypper', '--non-interactive', 'install', 'bubblewrap', 'ripgrep', 'git'],
  },
  { program: 'apk', install: ['apk', 'add', 'bubblewrap', 'ripgrep', 'git', 'util-linux-misc'] },
]

/**
 * The commands that install the sandbox's packages, in order.
 *
 * @param {PackageManager} manager
 * @param {string[]} prefix `[]` for root, else for example `['sudo']`
 * @returns {string[][]}
 */
export function installCommands(manager, prefix) {
  const commands = manager.refresh ? [manager.refresh, manager.install] : [manager.install]
  return commands.map((command) => [...prefix, ...command])
}

/**
 * The one line that a person can paste into a shell.
 *
 * @param {PackageManager | undefined} manager
 * @param {boolean} isRoot
 */
export function installLine(manager, isRoot) {
  if (!manager) {
    return 'Install bubblewrap (0.8 or newer), ripgrep and git with the package manager of this system.'
  }
  return installCommands(manager, isRoot ? [] : ['sudo'])
    .map((command) => command.join(' '))
    .join(' && ')
}

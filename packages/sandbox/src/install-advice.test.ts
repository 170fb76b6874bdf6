import { describe, expect, it } from 'vitest'
import { installAdvice } from './install-advice.ts'
import { type UserNamespaceFacts, userNamespaceAdvice } from './user-namespace-advice.ts'

describe('installAdvice', () => {
  it.each([
    ['ID=debian\nVERSION_ID="12"', 'sudo apt-get update && sudo apt-get install -y bubblewrap ripgrep git'],
    [
      'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"',
      'sudo apt-get update && sudo apt-get install -y bubblewrap ripgrep git',
    ],
    [
      'ID=linuxmint\nID_LIKE="ubuntu debian"',
      'sudo apt-get update && sudo apt-get install -y bubblewrap ripgrep git',
    ],
    ['ID=fedora\nVERSION_ID=42', 'sudo dnf install -y bubblewrap ripgrep git'],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'sudo dnf install -y bubblewrap ripgrep git'],
    ['ID=arch', 'sudo pacman -S --needed --noconfirm bubblewrap ripgrep git'],
    [
      'ID="opensuse-leap"\nID_LIKE="suse opensuse"',
      'sudo zypper --non-interactive install bubblewrap ripgrep git',
    ],
    ['ID=alpine', 'sudo apk add bubblewrap ripgrep git util-linux-misc'],
  ])('knows %j', (osRelease, line) => {
    expect(installAdvice(osRelease, 'x64', false)).toBe(line)
    expect(installAdvice(osRelease, 'arm64', true)).toBe(line.replaceAll('sudo ', ''))
  })

  it.each(['', 'ID=plan9', 'ID='])('says what to install on %j', (osRelease) => {
    expect(installAdvice(osRelease, 'x64', false)).toContain('bubblewrap (0.8 or newer)')
  })

  it.each(['ID=ubuntu\nVERSION_ID="22.04"', 'ID=debian\nVERSION_ID="11"'])(
    'says that %j is too old',
    (osRelease) => {
      expect(installAdvice(osRelease, 'x64', false)).toContain('Upgrade to')
    },
  )

  it('says which machines have no sandbox', () => {
    expect(installAdvice('ID=debian\nVERSION_ID="12"', 'riscv64', true)).toContain('riscv64')
  })

  it('is one line', () => {
    expect(installAdvice('ID=debian', 'x64', false)).not.toContain('\n')
  })
})

describe('userNamespaceAdvice', () => {
  const open: UserNamespaceFacts = {
    isRoot: false,
    apparmorRestriction: undefined,
    unprivilegedClone: undefined,
    maximum: 10_000,
  }
  it.each<[string, Partial<UserNamespaceFacts>, string | undefined]>([
    ['nothing in the way', {}, undefined],
    ['AppArmor, as on Ubuntu 24.04', { apparmorRestriction: 1 }, 'apparmor_parser -r /etc/apparmor.d/bwrap'],
    ['AppArmor without the restriction', { apparmorRestriction: 0 }, undefined],
    ['a kernel that keeps them for root', { unprivilegedClone: 0 }, 'kernel.unprivileged_userns_clone=1'],
    ['a maximum of none', { maximum: 0 }, 'user.max_user_namespaces='],
    [
      'root, whom these don’t concern',
      { isRoot: true, apparmorRestriction: 1, unprivilegedClone: 0 },
      undefined,
    ],
  ])('%s', (...[, facts, expected]) => {
    const advice = userNamespaceAdvice({ ...open, ...facts })
    if (expected === undefined) expect(advice).toBeUndefined()
    else expect(advice).toContain(expected)
    expect(advice ?? '').not.toContain('\n')
  })
})

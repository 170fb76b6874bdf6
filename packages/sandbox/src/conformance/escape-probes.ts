import { existsSync } from 'node:fs'
import { type SyscallName, syscalls } from '../seccomp/syscalls.ts'
import type { Fixture } from './fixture.ts'

/** One attempt to get out. It prints `ESCAPED` when it does, and `tried` once it has tried everything. */
export interface EscapeProbe {
  name: string
  /** Command and arguments. */
  attempt(fixture: Fixture): [string, string[]]
  /** Succeeds without a sandbox and does no harm then: proves that the probe would find the hole. */
  provable?: true
  /** Needs this program on the machine. */
  needs?: string
}

/** The file that must not appear around the fixture. */
export const WRITTEN = 'berth-probe'

const shell = (lines: readonly string[]): [string, string[]] => [
  '/bin/sh',
  ['-c', [...lines, 'echo tried'].join('\n')],
]
const node = (source: string): [string, string[]] => ['node', ['-e', source]]

/** Prints a file if it can. */
const read = (path: string): string => `cat '${path}' 2>/dev/null && echo ESCAPED`
interface RawCall {
  call: SyscallName
  args: string
}

/** Makes system calls directly, as C would; each must fail. */
function rawCalls(calls: readonly RawCall[]): [string, string[]] {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64'
  const lines = calls.flatMap(({ call, args }) => {
    const number = syscalls[call][arch]
    // perl's syscall() wants variables for buffers; the attempts pass numbers and zeros only.
    return number === undefined ? [] : [`print "ESCAPED ${call}\\n" if syscall(${number}, ${args}) != -1;`]
  })
  return ['perl', ['-e', [...lines, 'print "tried\\n";'].join('\n')]]
}

const connect = (where: string): [string, string[]] =>
  node(`const s = require('net').connect(${where}, () => { console.log('ESCAPED'); s.destroy() })
    s.on('error', () => {}).on('close', () => console.log('tried'))`)

const files: readonly EscapeProbe[] = [
  {
    name: 'reads the accounts of the host',
    attempt: () => shell([read('/etc/shadow'), read('/etc/sudoers')]),
  },
  {
    name: 'reads another home',
    provable: true,
    attempt: ({ paths }) =>
      shell([read(`${paths.otherHome}/secret`), 'ls /root /home/* 2>/dev/null | grep -q . && echo ESCAPED']),
  },
  {
    name: 'reads what lies next to the workspace',
    provable: true,
    attempt: ({ paths }) =>
      shell([read(`${paths.data}/secret`), read('../secret'), read('../../data/secret')]),
  },
  {
    name: 'reads through a link in the workspace',
    provable: true,
    attempt: () => shell([read('link-to-file'), read('link-to-directory/secret'), read('relative-link')]),
  },
  {
    name: 'writes outside of workspace and home',
    attempt: ({ paths }) => {
      const directories = '/ /usr /usr/bin /etc /etc/ssl/certs /run /var /dev /sys /home /root'.split(' ')
      return shell([
        // Inside, this one may be there: the sandbox's own. Outside, the file must not appear.
        `( : >'${paths.base}/${WRITTEN}' ) 2>/dev/null`,
        ...[...directories, paths.data].map(
          (path) => `( : >'${path}/${WRITTEN}' ) 2>/dev/null && echo 'ESCAPED ${path}'`,
        ),
      ])
    },
  },
  {
    name: 'finds the machine’s run-time directories',
    attempt: () =>
      shell(
        [
          '/run/docker.sock',
          '/var/run/docker.sock',
          '/run/dbus',
          '/run/systemd',
          '/var/lib',
          '/var/log',
          '/boot',
          '/sys/kernel',
          '/sys/fs',
        ].map((path) => `[ -e ${path} ] && echo 'ESCAPED ${path}'`),
      ),
  },
  {
    name: 'leaves a program with set-user-id behind',
    provable: true,
    attempt: () =>
      shell([
        'cp /bin/true tool',
        'chmod 755 tool || echo ESCAPED: chmod is broken',
        'chmod u+s tool 2>/dev/null',
        'chmod g+s tool 2>/dev/null',
        '[ -u tool ] && echo ESCAPED',
        '[ -g tool ] && echo ESCAPED',
        'rm -f tool',
      ]),
  },
  {
    name: 'creates a file with set-user-id at once',
    provable: true,
    attempt: () =>
      node(`const fs = require('fs'); try { fs.closeSync(fs.openSync('made', 'w', 0o4755)) } catch {}
      if (fs.existsSync('made') && fs.statSync('made').mode & 0o4000) console.log('ESCAPED'); fs.rmSync('made', { force: true }); console.log('tried')`),
  },
]

const kernel: readonly EscapeProbe[] = [
  {
    name: 'writes settings of the kernel',
    attempt: () =>
      shell([
        'for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/* /proc/sys/fs/* /proc/sys/net/core/* /proc/pressure/* /proc/sysrq-trigger /proc/mtrr; do [ -f "$f" ] || continue; ( : 3<>"$f" ) 2>/dev/null && echo "ESCAPED $f"; done',
      ]),
  },
  {
    name: 'reads the kernel’s memory and keys',
    attempt: () =>
      shell([
        'for f in /proc/kcore /proc/keys /proc/kmsg /proc/kallsyms /proc/slabinfo /proc/vmallocinfo /proc/timer_list /proc/iomem; do [ -n "$(head -c 16 $f 2>/dev/null | tr -d "\\0")" ] && echo "ESCAPED $f"; done',
      ]),
  },
  {
    name: 'mounts, or makes namespaces, with the usual tools',
    attempt: () =>
      shell([
        'for flag in -U -m -n -p -i -u -C; do unshare $flag true 2>/dev/null && echo "ESCAPED unshare $flag"; done',
        'mount -t tmpfs none /tmp 2>/dev/null && echo ESCAPED mount',
        'mount -o remount,rw / 2>/dev/null && echo ESCAPED remount',
      ]),
  },
  {
    name: 'mounts, or makes namespaces, by system calls',
    needs: 'perl',
    attempt: () =>
      rawCalls([
        ...['0x10000000', '0x20000', '0x40000000', '0x20000000'].map(
          (flag): RawCall => ({ call: 'unshare', args: flag }),
        ),
        { call: 'clone', args: '0x10000011, 0, 0, 0, 0' },
        { call: 'clone3', args: '0, 0' },
        { call: 'setns', args: '0, 0' },
        { call: 'fsopen', args: '0, 0' },
        { call: 'open_tree', args: '-100, 0, 1' },
        { call: 'pivot_root', args: '0, 0' },
        { call: 'chroot', args: '0' },
      ]),
  },
  {
    name: 'uses kernel interfaces that a tool never needs',
    needs: 'perl',
    attempt: () =>
      rawCalls([
        { call: 'bpf', args: '0, 0, 0' },
        { call: 'perf_event_open', args: '0, 0, -1, -1, 0' },
        { call: 'userfaultfd', args: '1' },
        { call: 'io_uring_setup', args: '1, 0' },
        { call: 'keyctl', args: '0, -3, 1' },
        { call: 'add_key', args: '0, 0, 0, 0, -3' },
        { call: 'request_key', args: '0, 0, 0, -3' },
        { call: 'open_by_handle_at', args: '-100, 0, 0' },
        { call: 'kexec_load', args: '0, 0, 0, 0' },
        { call: 'process_vm_readv', args: 'getppid(), 0, 0, 0, 0, 0' },
        { call: 'process_vm_writev', args: 'getppid(), 0, 0, 0, 0, 0' },
        { call: 'ptrace', args: '16, getppid(), 0, 0' },
      ]),
  },
  {
    name: 'has capabilities or can gain privileges',
    attempt: () =>
      shell([
        "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status | grep -v 0000000000000000 && echo ESCAPED",
        "grep -q '^NoNewPrivs:.1' /proc/self/status || echo ESCAPED",
        '[ "$(id -u)" = 0 ] && echo ESCAPED root',
        'mount | grep -E "^/dev/" | grep -v nosuid && echo ESCAPED',
      ]),
  },
  {
    name: 'makes device nodes',
    attempt: () =>
      shell([
        'mknod null c 1 3 2>/dev/null && echo ESCAPED',
        'mknod disk b 254 0 2>/dev/null && echo ESCAPED',
        'mknod /dev/disk b 254 0 2>/dev/null && echo ESCAPED',
        'ls /dev/sd* /dev/vd* /dev/nvme* /dev/mem /dev/kmsg /dev/fuse /dev/kvm /dev/vsock 2>/dev/null | grep -q . && echo ESCAPED device',
      ]),
  },
]

const processes: readonly EscapeProbe[] = [
  {
    name: 'sees or signals processes of the host',
    provable: true,
    attempt: () =>
      shell([
        `kill -0 ${process.pid} 2>/dev/null && echo ESCAPED`,
        `[ -e /proc/${process.pid} ] && echo ESCAPED`,
        'cd /proc && for p in [0-9]*; do [ "$p" -gt 99 ] && echo "ESCAPED $p"; done',
      ]),
  },
  {
    name: 'reads the environment of its driver',
    provable: true,
    attempt: () =>
      shell([`[ -n "$(cat /proc/${process.pid}/environ 2>/dev/null | tr -d '\\0')" ] && echo ESCAPED`]),
  },
  {
    name: 'inherits descriptors',
    attempt: () =>
      shell([
        'ls -l /proc/self/fd >"$HOME/descriptors"',
        `grep -vE '^total| [012] -> | -> /proc/| -> /dev/null$' "$HOME/descriptors" && echo ESCAPED`,
      ]),
  },
]

const network: readonly EscapeProbe[] = [
  {
    name: 'connects by TCP',
    provable: true,
    attempt: ({ tcpPort }) => connect(`{ host: '127.0.0.1', port: ${tcpPort} }`),
  },
  {
    name: 'sends datagrams',
    provable: true,
    attempt: ({ udpPort }) =>
      node(`const s = require('dgram').createSocket('udp4').on('error', () => {})
        s.send('x', ${udpPort}, '127.0.0.1', () => { s.close(); console.log('tried') })`),
  },
  {
    name: 'resolves names',
    attempt: () =>
      node(
        `require('dns').lookup('registry.npmjs.org', (e) => { if (!e) console.log('ESCAPED'); console.log('tried') })`,
      ),
  },
  {
    name: 'has a network interface',
    provable: true,
    attempt: () => shell(["grep : /proc/net/dev | grep -v '^ *lo:' && echo ESCAPED"]),
  },
  {
    name: 'connects to a unix socket',
    provable: true,
    attempt: ({ paths }) => connect(`{ path: '${paths.otherSocket}' }`),
  },
  {
    name: 'connects to an abstract unix socket',
    provable: true,
    attempt: ({ paths }) => connect(`{ path: '\\0${paths.abstractSocket}' }`),
  },
  {
    name: 'makes sockets of other families',
    needs: 'perl',
    attempt: () =>
      rawCalls(
        ['40, 1, 0', '17, 3, 0', '38, 5, 0', '16, 3, 9', '31, 3, 0', '44, 3, 0'].map(
          (args): RawCall => ({ call: 'socket', args }),
        ),
      ),
  },
]

export const escapeProbes: readonly EscapeProbe[] = [...files, ...kernel, ...processes, ...network]

/** Why a probe can't run on this machine, `undefined` when it can. */
export function missingFor(probe: EscapeProbe): string | undefined {
  const { needs } = probe
  return needs === undefined || existsSync(`/usr/bin/${needs}`) ? undefined : `${needs} is not installed`
}

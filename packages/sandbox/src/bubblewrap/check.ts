import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { installAdvice } from '../install-advice.ts'
import type { SandboxCheck, SandboxCommand, SandboxedProcess } from '../sandbox.ts'
import { readUserNamespaceFacts, userNamespaceAdvice } from '../user-namespace-advice.ts'
import type { LimitMode } from './limit-mode.ts'

const MINIMUM = [0, 8] as const
const CHECK_TIMEOUT_MS = 10_000

export interface CheckSources {
  around(): { bwrap: string | undefined; filter: Uint8Array | undefined; mode: LimitMode }
  spawn(command: SandboxCommand): SandboxedProcess
}

const trouble = (problem: string, repair: string): SandboxCheck => ({ ok: false, problem, repair })

function install(): string {
  let osRelease = ''
  try {
    osRelease = readFileSync('/etc/os-release', 'utf8')
  } catch {
    // A system without that file gets the advice for unknown ones.
  }
  return installAdvice(osRelease, process.arch, process.getuid?.() === 0)
}

/** `[0, 8]` for "bubblewrap 0.8.0"; `undefined` for another program. */
export function parseVersion(text: string): [number, number] | undefined {
  const match = /^bubblewrap (\d+)\.(\d+)/.exec(text)
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

async function versionOf(bwrap: string): Promise<[number, number] | undefined> {
  const { stdout } = await promisify(execFile)(bwrap, ['--version'], { timeout: CHECK_TIMEOUT_MS, env: {} })
  return parseVersion(stdout)
}

/** Looks for what is missing, in the order in which one would repair it, then starts a real sandbox. */
export async function checkBubblewrap(sources: CheckSources): Promise<SandboxCheck> {
  if (process.platform !== 'linux') {
    return trouble(
      `bubblewrap needs Linux, this is ${process.platform}.`,
      'Run Berth on Linux or in a virtual machine.',
    )
  }
  try {
    return await checkOnLinux(sources)
  } catch (error) {
    return trouble(`bubblewrap could not be tried: ${(error as Error).message}`, install())
  }
}

async function checkOnLinux({ around, spawn }: CheckSources): Promise<SandboxCheck> {
  const { bwrap, filter, mode } = around()
  if (!filter) return trouble(`There is no filter for system calls on ${process.arch}.`, 'Use x64 or arm64.')
  if (!bwrap) return trouble('bubblewrap (bwrap) is not installed.', install())
  const version = await versionOf(bwrap)
  if (!version || version[0] * 1000 + version[1] < MINIMUM[0] * 1000 + MINIMUM[1]) {
    const found = version ? version.join('.') : 'unknown'
    return trouble(`bubblewrap ${MINIMUM.join('.')} or newer is needed, ${bwrap} is ${found}.`, install())
  }
  if (mode.kind === 'impossible') return trouble(mode.problem, mode.repair)
  const trial = spawn({
    command: '/bin/sh',
    args: ['-c', ':'],
    cwd: '/',
    env: {},
    mounts: [],
    limits: { wallClockMs: CHECK_TIMEOUT_MS },
  })
  const exit = await trial.exited
  if (exit.code !== 0) {
    const repair = userNamespaceAdvice(readUserNamespaceFacts()) ?? install()
    return trouble(`bubblewrap can't make a sandbox here. ${exit.message}`, repair)
  }
  const root = process.getuid?.() === 0 ? '; Berth runs as root, an ordinary user would be safer' : ''
  return { ok: true, detail: `bubblewrap ${version.join('.')}, ${mode.detail}${root}` }
}

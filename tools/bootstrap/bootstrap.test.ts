import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { installAdvice } from '../../packages/sandbox/src/install-advice.ts'
import { findProgram, withoutNodeModules } from './find-program.mjs'
import { isInstalled, lockfileHash } from './install-packages.mjs'
import { missingPackages } from './installed-packages.mjs'
import { installCommands, installLine, packageManagers } from './package-managers.mjs'
import { runCommand } from './run-command.mjs'
import { isAtLeast } from './version.mjs'

const directory = mkdtempSync(join(tmpdir(), 'berth-bootstrap-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe('[P3] set-up of a fresh clone', () => {
  test.each([
    ['20.20.2', [20, 0, 0], true],
    ['v24.0.0', [24, 0, 1], false],
    ['git version 2.39.5 (Apple Git-154)', [2, 30, 0], true],
    ['git version 2.9', [2, 30, 0], false],
    ['9.10.11', [10, 0, 0], false],
    ['no version', [0, 0, 0], false],
  ] as const)('%s is at least %j: %s', (text, minimum, expected) => {
    expect(isAtLeast(text, [...minimum])).toBe(expected)
  })

  const locked = { version: '1.0.0', integrity: 'sha512-a' }
  test.each([
    ['the same', { 'node_modules/a': locked }, { 'node_modules/a': locked }, []],
    ['absent', { 'node_modules/a': locked }, {}, ['node_modules/a']],
    [
      'another version',
      { 'node_modules/a': locked },
      { 'node_modules/a': { ...locked, version: '2.0.0' } },
      ['node_modules/a'],
    ],
    [
      'other bytes',
      { 'node_modules/a': locked },
      { 'node_modules/a': { ...locked, integrity: 'sha512-b' } },
      ['node_modules/a'],
    ],
    ["another platform's", { 'node_modules/a': { ...locked, optional: true } }, {}, []],
    [
      'optional in another version',
      { 'node_modules/a': { ...locked, optional: true } },
      { 'node_modules/a': { version: '2.0.0' } },
      ['node_modules/a'],
    ],
    ['nested', { 'packages/p/node_modules/a': locked }, {}, ['packages/p/node_modules/a']],
    [
      'a workspace',
      { 'packages/p': { version: '1.0.0' }, 'node_modules/p': { link: true, resolved: 'packages/p' } },
      { 'node_modules/p': { link: true, resolved: 'packages/p' } },
      [],
    ],
    [
      'a workspace that is not linked',
      { 'node_modules/p': { link: true, resolved: 'packages/p' } },
      { 'node_modules/p': locked },
      ['node_modules/p'],
    ],
    ['more than asked', {}, { 'node_modules/a': locked }, []],
  ])('packages that are missing: %s', (_, wanted, installed, missing) => {
    expect(missingPackages({ packages: wanted }, { packages: installed })).toEqual(missing)
  })

  test('the stamp of an installation counts for the lockfile that it was made for', () => {
    const checkout = join(directory, 'checkout')
    mkdirSync(join(checkout, 'node_modules'), { recursive: true })
    const lock = (packages: object) =>
      writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify({ packages }))
    lock({ 'node_modules/a': locked })
    expect(isInstalled(checkout)).toBe(false)
    writeFileSync(join(checkout, 'node_modules/.package-lock.json'), '{}')
    expect(isInstalled(checkout)).toBe(false)
    writeFileSync(join(checkout, 'node_modules/.berth-lockfile'), lockfileHash(checkout))
    expect(isInstalled(checkout)).toBe(true)
    lock({ 'node_modules/b': locked })
    expect(isInstalled(checkout)).toBe(false)
    lock({})
    expect(isInstalled(checkout)).toBe(true)
  })

  test.each([
    ['apt-get', 'ID=ubuntu\nVERSION_ID="24.04"'],
    ['dnf', 'ID=fedora'],
    ['pacman', 'ID=arch'],
    ['zypper', 'ID="opensuse-leap"\nID_LIKE="suse opensuse"'],
    ['apk', 'ID=alpine'],
  ])('%s: the line to run is the one that the sandbox gives', (program, osRelease) => {
    const manager = packageManagers.find((one) => one.program === program)
    for (const isRoot of [true, false]) {
      expect(installLine(manager, isRoot)).toBe(installAdvice(osRelease, 'x64', isRoot))
    }
  })

  test('every package manager has a test above', () => {
    expect(packageManagers.map(({ program }) => program)).toEqual([
      'apt-get',
      'dnf',
      'pacman',
      'zypper',
      'apk',
    ])
  })

  test('an unknown system gets words instead of a line', () => {
    expect(installLine(undefined, true)).toBe(installAdvice('ID=plan9', 'x64', true))
  })

  test('sudo stands before each command', () => {
    const [apt] = packageManagers
    if (!apt) throw new Error('there is no first package manager')
    expect(installCommands(apt, ['sudo', '-n']).map((command) => command.slice(0, 4))).toEqual([
      ['sudo', '-n', 'apt-get', 'update'],
      ['sudo', '-n', 'apt-get', 'install'],
    ])
  })

  test('programs are found in PATH, directories and plain files are not', () => {
    const bin = join(directory, 'bin')
    mkdirSync(join(directory, 'other/tool'), { recursive: true })
    mkdirSync(bin)
    writeFileSync(join(bin, 'tool'), '#!/bin/sh\n')
    writeFileSync(join(bin, 'plain'), '')
    chmodSync(join(bin, 'tool'), 0o755)
    const path = ['', join(directory, 'other'), bin].join(delimiter)
    expect(findProgram('tool', path)).toBe(join(bin, 'tool'))
    expect(findProgram('plain', path)).toBeUndefined()
    expect(findProgram('tool', '')).toBeUndefined()
  })

  test('npm is looked up outside node_modules', () => {
    const path = ['/a/node_modules/.bin', '/usr/bin', '/node_modules_not/bin'].join(delimiter)
    expect(withoutNodeModules(path)).toBe(['/usr/bin', '/node_modules_not/bin'].join(delimiter))
  })

  test('a command gives its output and exit code, also when it is not there', async () => {
    const script = 'process.stdout.write("a"); process.exitCode = 3'
    expect(await runCommand([process.execPath, '-e', script])).toEqual({ code: 3, output: 'a' })
    expect(await runCommand([join(directory, 'nothing')])).toMatchObject({ code: 127 })
  })
})

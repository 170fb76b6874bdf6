import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withoutNodeModules } from './find-program.mjs'
import { missingPackages } from './installed-packages.mjs'
import { runCommand } from './run-command.mjs'
import { SetupError } from './setup-error.mjs'
import { step } from './step.mjs'
import { isAtLeast } from './version.mjs'

/** The first npm that reads this lockfile and its workspaces well. */
const MINIMUM_NPM = /** @type {[number, number, number]} */ ([9, 0, 0])

/**
 * Installs the npm packages when they aren't there as the lockfile says.
 *
 * @param {string} root the checkout
 */
export async function ensurePackages(root) {
  if (isInstalled(root)) return
  const env = { ...process.env, PATH: withoutNodeModules(process.env.PATH ?? '') }
  await checkNpm(env)
  await step('install npm packages', async () => {
    const command = ['npm', 'ci', '--no-audit', '--no-fund', '--loglevel=error']
    const { code, output } = await runCommand(command, { cwd: root, env })
    if (code === 0) return writeFileSync(stampOf(root), lockfileHash(root))
    throw new SetupError(
      `\`${command.join(' ')}\` failed (exit code ${code}):\n${summary(output)}`,
      'Check the connection to the npm registry, then run the same command again.',
    )
  })
}

/**
 * Installed is what we installed for this very lockfile, or what npm says it installed: a developer's `npm install`
 * doesn't lead to another installation.
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const installed = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return false
  const stamp = stampOf(root)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfileHash(root)) return true
  return missingPackages(readJson(join(root, 'package-lock.json')), readJson(installed)).length === 0
}

/** @param {string} root */
function stampOf(root) {
  return join(root, 'node_modules/.berth-lockfile')
}

/** @param {string} root */
export function lockfileHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

/**
 * npm's own words without its page of usage.
 *
 * @param {string} output
 */
function summary(output) {
  const lines = output.trim().split('\n')
  const usage = lines.findIndex((line) => line.includes('error Usage:'))
  return lines.slice(0, usage === -1 ? undefined : usage).join('\n')
}

/** @param {NodeJS.ProcessEnv} env */
async function checkNpm(env) {
  const { code, output } = await runCommand(['npm', '--version'], { env })
  if (code !== 0) {
    throw new SetupError(
      'npm was not found in PATH.',
      'Install it: it comes with Node from https://nodejs.org.',
    )
  }
  if (!isAtLeast(output, MINIMUM_NPM)) {
    throw new SetupError(`npm ${output.trim()} is too old.`, 'Install npm 10 or newer: npm install -g npm@10')
  }
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

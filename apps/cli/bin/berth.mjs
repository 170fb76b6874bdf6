#!/usr/bin/env node
// Starts the CLI on Node 24, which runs its TypeScript as it is. Any other Node finds the one that the npm package
// `node` has put into this checkout. Plain JavaScript: it has to be understood by the Node that happens to be there.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const main = new URL('../src/main.ts', import.meta.url)
const pinned = fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url))
const major = Number.parseInt(process.versions.node, 10)

if (major === 24) await import(main.href)
else if (existsSync(pinned)) runOn(pinned)
else if (major > 24) await import(main.href)
else {
  process.stderr.write(`berth needs Node 24, and this is Node ${process.versions.node}.\n`)
  process.stderr.write('Run npm start once in the checkout (it brings its own), or install Node 24.\n')
  process.exitCode = 1
}

/** @param {string} node */
function runOn(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
  // A terminal sends Ctrl-C to both processes by itself; a second one would mean "at once" to the child.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGHUP', () => child.kill('SIGHUP'))
  child.on('error', (error) => {
    process.stderr.write(`${node} can't be started: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    // Like a shell: a child that a signal ended is 128 and the signal's number.
    process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0)
  })
}

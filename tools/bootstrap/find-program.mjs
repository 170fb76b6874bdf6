import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, sep } from 'node:path'

/**
 * The full path of a program, looked up as a shell would.
 *
 * @param {string} name
 * @param {string} [path] defaults to the environment's PATH
 * @returns {string | undefined}
 */
export function findProgram(name, path = process.env.PATH ?? '') {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isExecutableFile)
}

/**
 * PATH without the `.bin` directories that npm puts in front: an npm found there would run on the Node that
 * the installation is about to replace.
 *
 * @param {string} path
 */
export function withoutNodeModules(path) {
  return path
    .split(delimiter)
    .filter((directory) => !directory.split(sep).includes('node_modules'))
    .join(delimiter)
}

/** @param {string} file */
function isExecutableFile(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

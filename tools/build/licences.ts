import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const licenceFile = /^(licen[cs]e|copying|notice)/i

const textOf = (directory: string): string => {
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && licenceFile.test(entry.name))
    .map(({ name }) => name)
    .sort()
  return names.map((name) => readFileSync(join(directory, name), 'utf8').trim()).join('\n\n')
}

/** The licences of packages as one text. Throws for a package that says nothing of its licence. */
export const thirdPartyText = (directories: readonly string[]): string => {
  const parts = directories.map((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    const text = textOf(directory)
    if (text === '' && typeof license !== 'string')
      throw new Error(`${name} ${version} has no licence that could be shipped with it (${directory}).`)
    const head = `${name} ${version}${typeof license === 'string' ? ` (${license})` : ''}`
    return `${head}\n${'-'.repeat(head.length)}\n\n${text === '' ? `Licensed under ${license}.` : text}\n`
  })
  return `This program contains the following packages.\n\n${parts.join('\n\n')}`
}

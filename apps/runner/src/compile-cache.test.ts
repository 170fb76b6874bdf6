import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { borrow } from './compile-cache.ts'

const program = fileIn('program.mjs', 'export const answer = 42\n')

function fileIn(name: string, text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'compile-cache-')), name)
  writeFileSync(path, text)
  return path
}

/** What Node says of a program that it finds in its cache, or doesn't. */
const start = (directory: string): string => {
  const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: directory, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }
  return execFileSync('sh', ['-c', '"$0" "$1" 2>&1', process.execPath, program], { env, encoding: 'utf8' })
}

test('what one user compiled is found by another one, by the name that Node gives to its directory', () => {
  const shipped = mkdtempSync(join(tmpdir(), 'compile-cache-'))
  expect(start(shipped)).not.toContain('accepted')
  const [name = ''] = readdirSync(shipped)
  const uid = process.getuid?.() ?? 0
  expect(name, 'the user is the end of the name').toMatch(new RegExp(`-${uid}$`))
  const borrowed = borrow(shipped) ?? ''
  expect(start(borrowed)).toContain('accepted')
  expect(readdirSync(borrow(shipped, 4711) ?? '')).toEqual([name.replace(/-\d+$/, '-4711')])
})

test('an image without anything compiled is started all the same', () => {
  expect(borrow('/nowhere')).toBeUndefined()
})

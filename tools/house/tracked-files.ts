import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** Every file of the project, relative to its root: what git tracks or would track, not what it ignores. */
export function trackedFiles(extension = ''): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const files = new Set(listed.split('\0').filter((file) => file !== '' && file.endsWith(extension)))
  return [...files].filter((file) => existsSync(join(root, file))).sort()
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The TypeScript of workspaces. Sample repositories and scenarios are data. */
export function sourceFiles(): string[] {
  return trackedFiles('.ts').filter((file) => /^(apps|packages)\/[^/]+\/(src|examples)\//.test(file))
}

/** Tests, and files that only tests load: they may use more than the code that they test. */
export function isTestFile(file: string): boolean {
  return /\.(test|fixture)\.ts$/.test(file) || /\/(fixtures|conformance)\//.test(file) || isTestHelper(file)
}

/** A helper beside one test, named after what it stands in for: `test-server.ts`. */
function isTestHelper(file: string): boolean {
  return /\/test-[a-z-]+\.ts$/.test(file)
}

import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createBlobHome, createCheckpointRig, restoreIn } from '../fixtures/checkpoints.ts'
import { describeTree } from '../fixtures/describe-tree.ts'
import { createPlace, type Place, sandboxes } from '../fixtures/place.ts'
import { openMemory } from '../workspace/state.ts'

type Entry = { at: Buffer[] } & (
  | { kind: 'file'; content: Buffer; executable: boolean }
  | { kind: 'link'; target: string }
  | { kind: 'empty' }
  | { kind: 'repository'; commit: boolean }
)

const text = fc.oneof(
  fc.constantFrom(
    ...[
      'a',
      'b',
      'dir',
      'new\nline',
      'quo"te',
      'tab\t',
      '-dash',
      'ünïcode',
      '🐢',
      ' blank ',
      '*',
      '[x]',
      ':(top)x',
      '#x',
    ],
    ...[
      'back\\slash',
      'it’s $HOME',
      '`id`',
      '%s',
      'CON',
      '.gitattributes',
      '.hidden',
      '~',
      '\u0001',
      'x'.repeat(200),
    ],
  ),
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
)
const isName = (name: string) =>
  !/[/\0]/.test(name) &&
  !/^\.{1,2}$/.test(name) &&
  !/^\.git(ignore|modules)?$/i.test(name) &&
  Buffer.byteLength(name) <= 255
const named = text.filter(isName).map((name) => Buffer.from(name))
/** Bytes that are no text. */
const raw = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 47 ? 255 : byte | 0x80))))

const content = fc.oneof(
  fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from('a\r\nb\r\n'),
    Buffer.from('$Id$\n'),
    Buffer.from([0, 255, 10, 13, 10]),
  ),
  fc.constantFrom(Buffer.from('* text eol=crlf ident working-tree-encoding=UTF-16 filter=lfs\n')),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
)
const path = (last: fc.Arbitrary<Buffer>) =>
  fc.tuple(fc.array(named, { maxLength: 6 }), last).map(([above, name]) => [...above, name])

const entry: fc.Arbitrary<Entry> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      at: path(fc.oneof(named, raw)),
      kind: fc.constant('file' as const),
      content,
      executable: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      at: path(fc.oneof(named, raw)),
      kind: fc.constant('link' as const),
      target: fc.constantFrom('a', '../b', '/etc/passwd', 'gone', '.'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ at: path(named), kind: fc.constant('empty' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ at: path(named), kind: fc.constant('repository' as const), commit: fc.boolean() }),
  },
)

const joined = (root: string, names: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from(root), ...names.flatMap((name) => [Buffer.from('/'), name])])

/** Makes what can be made: an entry that another one is in the way of is left out. */
const plant = (root: string, entries: readonly Entry[]): void => {
  for (const item of entries) {
    const place = joined(root, item.at)
    // A link would lead elsewhere, and what lies in a repository is its own.
    const above = item.at.slice(0, -1).map((_, index) => joined(root, item.at.slice(0, index + 1)))
    if (
      existsSync(place) ||
      above.some((part) => lstatSync(part, { throwIfNoEntry: false })?.isDirectory() === false)
    )
      continue
    try {
      mkdirSync(joined(root, item.at.slice(0, -1)), { recursive: true })
      if (item.kind === 'empty') mkdirSync(place)
      else if (item.kind === 'link') symlinkSync(item.target, place)
      else if (item.kind === 'file') {
        writeFileSync(place, item.content)
        if (item.executable) chmodSync(place, 0o755)
      } else makeRepository(place, item.commit)
    } catch (error) {
      if (
        !['ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')
      )
        throw error
    }
  }
}

const makeRepository = (place: Buffer, commit: boolean): void => {
  mkdirSync(place)
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: place.toString('utf8'),
      env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent', EMAIL: 'a@example.com' },
      stdio: 'pipe',
    })
  git('init', '--quiet', '--template=')
  writeFileSync(Buffer.concat([place, Buffer.from('/inside')]), 'inside\r\n')
  if (!commit) return
  git('add', '--all')
  git('-c', 'user.name=A', 'commit', '--quiet', '-m', 'Inside')
}

const places: Place[] = []
afterEach(() => {
  for (const place of places.splice(0)) place.remove()
})

describe.each(sandboxes.slice(0, 1))('a checkpoint in $kind', { timeout: 300_000 }, (sandbox) => {
  const open = async () => {
    const place = await createPlace(sandbox)
    places.push(place)
    return place
  }

  it('[P50] gives back any tree of files as it was, on another disk and in place', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 25 }),
        fc.array(entry, { maxLength: 8 }),
        async (entries, later) => {
          const place = await open()
          const root = place.layout.outside.workspace
          const { home } = createBlobHome()
          const memory = await openMemory(place.layout.outside.state)
          await memory.update((state) => ({
            ...state,
            repositories: [{ name: 'workspace', url: '', branch: '' }],
          }))
          const rig = createCheckpointRig({ place, memory, sandbox, home })
          plant(root, entries)
          const before = describeTree(root)
          const checkpoint = await rig.checkpoint()
          expect(checkpoint.omitted).toEqual([])
          expect(describeTree(root)).toEqual(before)

          const other = await open()
          await restoreIn(other, sandbox, { home, checkpoint })
          expect(describeTree(other.layout.outside.workspace)).toEqual(before)

          plant(root, later)
          await rig.setBack(checkpoint)
          expect(describeTree(root)).toEqual(before)
          for (const done of places.splice(0)) done.remove()
        },
      ),
      { numRuns: 12 },
    )
  })
})

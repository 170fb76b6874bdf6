import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { isBerthError } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'
import { savedSession } from './fixtures/saved-session.ts'
import { createRepository, writeFiles } from './fixtures/work.ts'

const codeOf = async (promise: Promise<unknown>) => {
  try {
    await promise
    return 'fulfilled'
  } catch (error) {
    return isBerthError(error) ? error.code : String(error)
  }
}

describe('files of a checkpoint', { timeout: 60_000 }, () => {
  it('are listed, read and archived as they were after a turn, also in repositories inside of others', () =>
    withBackend(async (backend) => {
      const saved = await savedSession(backend, {
        files: { 'a.txt': 'a\n', '.gitattributes': 'x export-ignore\n' },
      })
      const { session, clone, turn } = saved
      const files = backend.checkpoints.files
      const first = await turn()
      writeFiles(clone, {
        'a.txt': 'changed\n',
        x: 'x',
        'sub/deep/b': Buffer.from([0, 255, 1]),
        'sub/run': '#!',
      })
      chmodSync(join(clone, 'sub/run'), 0o755)
      symlinkSync('../a.txt', join(clone, 'sub/link'))
      const inner = createRepository(join(backend.directory, 'inner'), { 'in.txt': 'in\n' })
      const second = await turn('Again', [
        { path: 'lib/sub/inner', directory: inner, emptyDirectories: ['empty/one'] },
      ])
      expect(await files.list(session, { path: '' })).toEqual({
        entries: [{ name: 'lib', kind: 'directory', size: 0, mode: 0o755 }],
        more: false,
        checkpoint: 2,
        turn: second,
      })
      const names = async (path: string, turnId?: string) =>
        (await files.list(session, { path, turn: turnId })).entries.map(({ name, kind }) => `${name} ${kind}`)
      expect(await names('lib')).toEqual(['.gitattributes file', 'a.txt file', 'sub directory', 'x file'])
      expect(await names('lib', first)).toEqual(['.gitattributes file', 'a.txt file'])
      expect((await files.list(session, { path: 'lib/sub' })).entries).toEqual([
        { name: 'deep', kind: 'directory', size: 0, mode: 0o755 },
        { name: 'inner', kind: 'directory', size: 0, mode: 0o755 },
        { name: 'link', kind: 'link', size: 8, mode: 0o777, target: '../a.txt' },
        { name: 'run', kind: 'file', size: 2, mode: 0o755 },
      ])
      expect(await names('lib/sub/inner')).toEqual(['empty directory', 'in.txt file'])
      expect(await names('lib/sub/inner/empty')).toEqual(['one directory'])
      const page = await files.list(session, { path: 'lib', after: '.gitattributes', limit: 2 })
      expect([page.entries.map(({ name }) => name), page.more]).toEqual([['a.txt', 'sub'], true])

      const read = async (path: string, turnId?: string) =>
        buffer((await files.read(session, { path, turn: turnId })).content)
      expect(String(await read('lib/a.txt'))).toBe('changed\n')
      expect(String(await read('lib/a.txt', first))).toBe('a\n')
      expect(await read('lib/sub/deep/b')).toEqual(Buffer.from([0, 255, 1]))
      expect(await files.read(session, { path: 'lib/sub/run' })).toMatchObject({ size: 2, executable: true })

      const unpacked = join(backend.directory, 'unpacked')
      mkdirSync(unpacked)
      const { content } = await files.archive(session, { path: 'lib' })
      execFileSync('tar', ['-xz', '-C', unpacked], { input: await buffer(content) })
      expect(readFileSync(join(unpacked, 'lib/sub/inner/in.txt'), 'utf8')).toBe('in\n')
      const listed = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P %y %#m\\n'], {
        cwd: unpacked,
      })
      expect(String(listed).trim().split('\n').sort()).toEqual([
        'lib d 0755',
        'lib/.gitattributes f 0644',
        'lib/a.txt f 0644',
        'lib/sub d 0755',
        'lib/sub/deep d 0755',
        'lib/sub/deep/b f 0644',
        'lib/sub/inner d 0755',
        'lib/sub/inner/empty d 0755',
        'lib/sub/inner/empty/one d 0755',
        'lib/sub/inner/in.txt f 0644',
        'lib/sub/link l 0777',
        'lib/sub/run f 0755',
        'lib/x f 0644',
      ])
    }))

  it('that are not there, or not what was asked for, are told apart', () =>
    withBackend(async (backend) => {
      const { session, clone, turn } = await savedSession(backend)
      const { files } = backend.checkpoints
      expect(await codeOf(files.list(session, { path: '' }))).toBe('no_checkpoint')
      symlinkSync('/etc/passwd', join(clone, 'link'))
      const known = await turn()
      expect(await codeOf(files.list(session, { path: 'nowhere' }))).toBe('file_not_found')
      expect(await codeOf(files.list(session, { path: 'lib/b' }))).toBe('file_not_found')
      expect(await codeOf(files.list(session, { path: 'lib/a.txt' }))).toBe('not_a_directory')
      expect(await codeOf(files.list(session, { path: 'lib/link' }))).toBe('not_a_directory')
      expect(await codeOf(files.read(session, { path: 'lib/link' }))).toBe('not_a_file')
      expect(await codeOf(files.read(session, { path: 'lib' }))).toBe('not_a_file')
      expect(await codeOf(files.read(session, { path: '' }))).toBe('not_a_file')
      expect(await codeOf(files.read(session, { path: 'lib/*.txt' }))).toBe('file_not_found')
      expect(await codeOf(files.archive(session, { path: 'other' }))).toBe('file_not_found')
      const unknown = files.list(session, { path: '', turn: known.replace(/.{4}$/, '0000') })
      await expect(unknown).rejects.toMatchObject({
        code: 'no_checkpoint',
        message: expect.stringContaining(known),
      })
    }))

  it('in packs that are broken, cut, missing or bombs: a clear refusal, and nothing left', () =>
    withBackend(async (backend) => {
      const { session, facts, turn } = await savedSession(backend)
      const { files } = backend.checkpoints
      await turn()
      const good = (await backend.parts.store.state(session))?.checkpoint
      const { blobs } = backend.parts
      const read = async (blob: string) => {
        const found = await blobs.get(session, blob)
        return found === undefined ? Buffer.alloc(0) : buffer(found.content)
      }
      const put = async (bytes: Buffer) => {
        const blob = createHash('sha256').update(bytes).digest('hex')
        await blobs.put(session, { blob, content: Readable.from([bytes]), maxBytes: 1e9 })
        return { blob, size: bytes.length, mediaType: 'application/octet-stream' }
      }
      const manifest = JSON.parse(String(await read(good?.manifest.blob ?? '')))
      const pack = await read(manifest.trees[0].packs[0].parts[0].blob)
      let number = 1
      const withPack = async (parts: object[]) => {
        number += 1
        const changed = structuredClone(manifest)
        changed.trees[0].packs[0].parts = parts
        const ref = await put(Buffer.from(JSON.stringify({ ...changed, number })))
        await facts({
          type: 'checkpoint.saved',
          data: { number, manifest: ref, size: 1, files: 1, reason: 'request', ms: 1 },
        })
        return codeOf(files.list(session, { path: 'lib' }))
      }
      const flipped = Buffer.from(pack)
      flipped.writeUInt8(flipped.readUInt8(pack.length - 30) ^ 0xff, pack.length - 30)
      const counted = Buffer.from(pack)
      counted.writeUInt32BE(0xffff_ffff, 8)
      expect(await withPack([await put(flipped)])).toBe('checkpoint_unreadable')
      expect(await withPack([await put(pack.subarray(0, pack.length - 25))])).toBe('checkpoint_unreadable')
      expect(await withPack([await put(counted)])).toBe('checkpoint_unreadable')
      expect(await withPack([])).toBe('checkpoint_unreadable')
      expect(await withPack([{ blob: 'a'.repeat(64), size: 10 }])).toBe('checkpoint_unreadable')
      expect(await withPack([{ ...(await put(pack)), size: 9e12 }])).toBe('checkpoint_unreadable')
      expect(await withPack([await put(pack)])).toBe('fulfilled')
      expect(readdirSync(join(backend.directory, 'checkpoints'))).toHaveLength(1)
    }))
})

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { limits, type OperationRequest } from '@berth/contract'
import type { Sandbox } from '@berth/sandbox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPlace, type Place, sandboxes, writeFiles } from '../fixtures/place.ts'
import { fileHandlers, sweepParts } from './file-handlers.ts'
import type { OperationHandler, OperationKind, RequestOf, ResultOf } from './handlers.ts'

const operation = 'opn_01jd0000000000000000000000'
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

/** What travels, in memory. */
const createHome = () => {
  const parts = new Map<string, Buffer>()
  let largest = 0
  return {
    parts,
    largest: () => largest,
    getTransfer: async ({ blob }: { blob: string }) => {
      const bytes = parts.get(blob)
      if (bytes === undefined) throw new Error(`no part ${blob}`)
      return { mediaType: '', stream: new Blob([new Uint8Array(bytes)]).stream() }
    },
    putTransfer: async ({ blob }: { blob: string }, source: unknown) => {
      largest = Math.max(largest, (source as Buffer).length)
      parts.set(blob, Buffer.from(source as Buffer))
    },
  }
}

describe.each(sandboxes.map((sandbox): [string, Sandbox] => [sandbox.kind, sandbox]))(
  'files in the sandbox %s',
  (_, sandbox) => {
    let place: Place
    let home: ReturnType<typeof createHome>
    let workspace: string
    beforeEach(async () => {
      place = await createPlace(sandbox)
      home = createHome()
      workspace = place.layout.outside.workspace
    })
    afterEach(() => place.remove())

    const run = async <K extends OperationKind>(
      request: RequestOf<K> & { kind: K },
      signal = new AbortController().signal,
    ): Promise<ResultOf<K>> => {
      const { layout } = place
      const handlers = fileHandlers({ sandbox, layout, home })
      const handler = handlers[request.kind] as unknown as OperationHandler<K>
      return handler.run(request, { operation, signal })
    }
    const failure = (request: OperationRequest) =>
      run(request).then(
        () => 'done',
        (error) => `${error.code}: ${error.message}`,
      )
    const put = (text: string | Buffer) => {
      const bytes = Buffer.from(text)
      const parts: string[] = []
      for (let at = 0; at < bytes.length; at += limits.transferPart) {
        const part = bytes.subarray(at, at + limits.transferPart)
        home.parts.set(sha256(part), part)
        parts.push(sha256(part))
      }
      return { of: operation, size: bytes.length, parts }
    }
    const got = ({ content }: { content: { parts: string[] } }) =>
      Buffer.concat(content.parts.map((blob) => home.parts.get(blob) ?? Buffer.from('?')))

    it('are listed by name, with what they are', async () => {
      writeFiles(workspace, { 'b.txt': 'text', 'a/deep.txt': 'x', 'new\nline': '', ü: 'ü' })
      symlinkSync('/etc/passwd', join(workspace, 'link'))
      execFileSync('mkfifo', [join(workspace, 'pipe')])
      writeFileSync(Buffer.concat([Buffer.from(`${workspace}/bad`), Buffer.from([0xff])]), '')
      const { entries, more } = await run({ kind: 'list', path: '' })
      expect(more).toBe(false)
      expect(entries).toMatchObject([
        { name: 'a', kind: 'directory' },
        { name: 'b.txt', kind: 'file', size: 4, mode: statSync(join(workspace, 'b.txt')).mode & 0o777 },
        { name: 'bad\ufffd', kind: 'file', garbled: true },
        { name: 'link', kind: 'link', target: '/etc/passwd' },
        { name: 'new\nline', kind: 'file' },
        { name: 'pipe', kind: 'other' },
        { name: 'ü', kind: 'file', size: 2 },
      ])
      expect((await run({ kind: 'list', path: 'a' })).entries).toMatchObject([{ name: 'deep.txt' }])
    })

    it('are listed page after page, however many there are', { timeout: 60_000 }, async () => {
      const count = 100_000
      execFileSync('sh', ['-c', `mkdir many && cd many && seq -f 'file-%06.0f' 1 ${count} | xargs touch`], {
        cwd: workspace,
      })
      const first = await run({ kind: 'list', path: 'many' })
      expect(first.more).toBe(true)
      expect(first.entries[0]?.name).toBe('file-000001')
      expect(JSON.stringify(first).length).toBeLessThan(limits.inlineText)
      const after = `file-0${count - 2}`
      const last = await run({ kind: 'list', path: 'many', after })
      expect(last).toMatchObject({
        more: false,
        entries: [{ name: `file-0${count - 1}` }, { name: `file-${count}` }],
      })
    })

    it('are read in parts, with their SHA-256', async () => {
      const large = Buffer.alloc(2 * limits.transferPart + 5, 'abcdefg')
      writeFiles(workspace, { 'dir/large.bin': large, empty: '', 'new\nline': 'odd' })
      const read = await run({ kind: 'read', path: 'dir/large.bin' })
      expect(got(read).equals(large)).toBe(true)
      expect(read).toMatchObject({
        executable: false,
        content: { size: large.length, sha256: sha256(large) },
      })
      expect(home.largest()).toBe(limits.transferPart)
      expect(await run({ kind: 'read', path: 'empty' })).toMatchObject({ content: { size: 0, parts: [] } })
      expect(got(await run({ kind: 'read', path: 'new\nline' })).toString()).toBe('odd')
    })

    it('are written as a whole, into directories that are made, with the mode that they had', async () => {
      const text = 'x'.repeat(limits.transferPart + 1)
      const written = { kind: 'write', size: text.length, created: true, sha256: sha256(text) }
      expect(await run({ kind: 'write', path: 'a/b/c.txt', content: put(text) })).toEqual(written)
      const file = join(workspace, 'a/b/c.txt')
      expect(readFileSync(file, 'utf8')).toBe(text)
      expect(statSync(file).mode & 0o777).toBe(0o644)
      await run({ kind: 'write', path: 'a/b/c.txt', content: put('#!'), executable: true })
      expect(statSync(file).mode & 0o777).toBe(0o755)
      expect(await run({ kind: 'write', path: 'a/b/c.txt', content: put('') })).toMatchObject({
        created: false,
      })
      expect([statSync(file).mode & 0o777, readFileSync(file, 'utf8')]).toEqual([0o755, ''])
      expect(readdirSync(workspace)).toEqual(['a'])
    })

    it('are written only over what is expected, and with what was meant', async () => {
      writeFiles(workspace, { 'a.txt': 'old' })
      const write = (more: object) =>
        ({ kind: 'write', path: 'a.txt', content: put('new'), ...more }) as const
      expect(await failure(write({ expected: null }))).toMatch(/^changed: a.txt exists/)
      expect(await failure(write({ expected: sha256('other') }))).toMatch(/^changed: .*Read it again/)
      expect(await failure(write({ content: { ...put('new'), sha256: sha256('else') } }))).toMatch(/^changed/)
      expect(await failure(write({ content: { ...put('new'), size: 4 } }))).toMatch(/^failed: .*as a whole/)
      expect(await failure(write({ content: { ...put('new'), size: 2 } }))).toMatch(/^failed: .*as a whole/)
      expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('old')
      await run(write({ expected: sha256('old') }))
      expect(readFileSync(join(workspace, 'a.txt'), 'utf8')).toBe('new')
      await run(write({ path: 'b.txt', expected: null }))
      expect(readdirSync(workspace)).toEqual(['a.txt', 'b.txt'])
    })

    it('are removed, directories with what is in them only when that is said', async () => {
      writeFiles(workspace, { 'a/b.txt': '1', 'c.txt': '2', 'app/.git/HEAD': '' })
      symlinkSync('/etc', join(workspace, 'a/link'))
      const remove = (path: string, more: object = {}) =>
        ({ kind: 'delete', path, recursive: false, ...more }) as const
      expect(await failure(remove('a'))).toMatch(/^refused: .*something in it/)
      expect(await failure(remove('c.txt', { expected: sha256('1') }))).toMatch(/^changed/)
      expect(await failure(remove('app', { recursive: true }))).toMatch(/^refused: app is a git repository/)
      expect(await failure(remove('', { recursive: true }))).toMatch(/^refused/)
      expect(await failure(remove('gone'))).toMatch(/^not-found: gone does not exist/)
      await run(remove('c.txt', { expected: sha256('2') }))
      await run(remove('a', { recursive: true }))
      expect(readdirSync(workspace)).toEqual(['app'])
      expect(readdirSync('/etc').length).toBeGreaterThan(0)
    })

    it('are packed without what is git’s, links as links', async () => {
      writeFiles(workspace, { 'app/a.txt': 'a', 'app/.git/HEAD': 'x', '-odd': 'o', 'app/new\nline': '' })
      symlinkSync('/etc/passwd', join(workspace, 'app/link'))
      execFileSync('mkfifo', [join(workspace, 'app/pipe')])
      const list = async (path: string) => {
        const input = got(await run({ kind: 'archive', path }))
        return execFileSync('tar', ['-tzvf', '-', '--quoting-style=escape'], { input, encoding: 'utf8' })
      }
      const app = await list('app')
      expect(app).toMatch(/^-.* app\/a.txt$/m)
      expect(app).toMatch(/^l.* app\/link -> \/etc\/passwd$/m)
      expect(app).toMatch(/^-.* app\/new\\nline$/m)
      expect(app).not.toContain('.git')
      expect(await list('')).toMatch(/ \.\/-odd$/m)
      expect(await list('-odd')).toMatch(/ -odd$/m)
    })

    it('lead nowhere else: links, pipes, sockets, directories and git’s own are refused', async () => {
      writeFiles(workspace, { 'in/file': 'inside', 'app/.git/config': 'git' })
      const link = (target: string, name: string) => symlinkSync(target, join(workspace, name))
      link('in/file', 'good')
      link('/etc/hostname', 'out')
      link('..', 'up')
      link('loop', 'loop')
      link('app/.git', 'git')
      link('nowhere', 'dangling')
      execFileSync('mkfifo', [join(workspace, 'pipe')])
      const socket = createServer()
      const path = join(workspace, 's')
      if (path.length < 100) await new Promise<void>((resolve) => socket.listen(path, resolve))
      const read = (of: string) => failure({ kind: 'read', path: of })
      expect(got(await run({ kind: 'read', path: 'good' })).toString()).toBe('inside')
      expect(await read('up/x')).toMatch(/^(refused|not-found)/)
      expect(await read('out')).toMatch(/^(refused|not-found)/)
      expect(await read('loop')).toMatch(/^refused/)
      for (const odd of ['pipe', 'in', 's', ''])
        expect(await read(odd), odd).toMatch(/^(not-a-file|not-found)/)
      expect(await failure({ kind: 'list', path: 'in/file' })).toMatch(/^not-a-directory/)
      expect(await failure({ kind: 'list', path: 'up' })).toMatch(/^refused/)
      const write = (to: string) => failure({ kind: 'write', path: to, content: put('new') })
      for (const to of ['app/.git/config', 'git/config', 'app/.GIT/hooks/x', 'up/evil', 'out', 'out/x'])
        expect(await write(to), to).toMatch(/^(refused|not-found|not-a-directory)/)
      for (const to of ['pipe', 'in', 's']) expect(await write(to), to).toMatch(/^not-a-file|^done/)
      expect(await write('dangling')).toMatch(/^not-found/)
      expect(await write('in/file/x')).toMatch(/^not-a-directory/)
      expect(await write('good')).toBe('done')
      expect(lstatSync(join(workspace, 'good')).isSymbolicLink()).toBe(true)
      expect(readFileSync(join(workspace, 'in/file'), 'utf8')).toBe('new')
      expect(await failure({ kind: 'delete', path: 'git/config', recursive: false })).toMatch(/^refused/)
      socket.close()
    })

    it('are given up when nobody waits, and leave nothing', async () => {
      const left = new AbortController()
      const slow = { ...put('a'.repeat(100)), parts: [] as string[] }
      const part = put('a'.repeat(100)).parts[0] ?? ''
      slow.parts.push(part)
      const { getTransfer } = home
      const asked = Promise.withResolvers<void>()
      home.getTransfer = async (at) => {
        asked.resolve()
        await new Promise((resolve) => left.signal.addEventListener('abort', resolve))
        return getTransfer(at)
      }
      const writing = run({ kind: 'write', path: 'slow', content: slow }, left.signal).catch(String)
      await asked.promise
      left.abort()
      expect(await writing).toMatch(/OperationFailed/)
      expect(readdirSync(workspace)).toEqual([])
      writeFiles(workspace, { '.berth-part-opn_x': 'left by a runner that was killed', 'a.txt': '' })
      await sweepParts(place.layout)
      expect(readdirSync(workspace)).toEqual(['a.txt'])
    })
  },
)

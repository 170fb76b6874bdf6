import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampleRepo } from './support/sample.ts'
import { create, messageOf, turn } from './support/talk.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

const cliMain = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url))

let parent: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-repos-'))
})

afterAll(() => rm(parent, { recursive: true, force: true }))

const hashOf = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

/** Short words for the files of a session. */
const filesOf = ({ client }: World, session: string) => {
  const params = { project, session }
  return {
    params,
    put: (path: string, text: string, headers: Record<string, string> = {}) =>
      client.writeFile({ params, query: { path }, bytes: Buffer.from(text), headers, timeoutMs: 60_000 }),
    text: async (path: string) => {
      const { stream } = await client.readFile({ params, query: { path }, timeoutMs: 60_000 })
      return new Response(stream).text()
    },
    names: async (path = '') => {
      const { items } = await client.listFiles({ params, query: { path }, timeoutMs: 60_000 })
      return items.map(({ name }) => name)
    },
    artifacts: async () => {
      const { items } = await client.listArtifacts({ params, timeoutMs: 60_000 })
      return items.map(({ name, size }) => [name, size])
    },
  }
}

/** A stopped session whose files were saved. */
const stopped = async (world: World, session: string) => {
  await world.client.stopSession({ params: { project, session } })
  await world.settled(session, ({ status }) => status.phase === 'stopped')
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error) => error.code ?? String(error),
  )

describe('files of a session', { timeout: 180_000 }, () => {
  it('[P71] [P73] go to the agent and come back, live and after a stop; artifacts too', () =>
    withWorld(async (world) => {
      const url = await sampleRepo(parent)
      // Without a prompt it starts and waits; whoever is faster than its start waits too.
      const session = await create(world, { repositories: [{ url }] })
      const files = filesOf(world, session)
      const written = await files.put('tidy-durations/data/given.txt', 'from a person')
      expect(written).toMatchObject({ created: true, sha256: hashOf('from a person') })
      expect(await files.names()).toEqual(['artifacts', 'tidy-durations'])

      const work = [
        'cat data/given.txt; echo; echo from the agent > made.txt',
        'mkdir -p ../artifacts/deep; printf %s report > ../artifacts/report.md; printf x > ../artifacts/deep/x',
      ]
      expect(messageOf(await turn(world, session, `run: ${work.join('; ')}`))).toContain('from a person')
      expect(await files.text('tidy-durations/made.txt')).toBe('from the agent\n')
      const artifacts = [
        ['deep/x', 1],
        ['report.md', 6],
      ]
      expect(await files.artifacts()).toEqual(artifacts)

      await stopped(world, session)
      expect(await files.text('tidy-durations/made.txt')).toBe('from the agent\n')
      expect(await files.text('tidy-durations/data/given.txt')).toBe('from a person')
      expect(await files.artifacts()).toEqual(artifacts)
      expect(await files.text('artifacts/report.md')).toBe('report')
      const { stream } = await world.client.archiveFiles({
        params: files.params,
        query: { path: 'artifacts' },
      })
      expect((await new Response(stream).arrayBuffer()).byteLength).toBeGreaterThan(50)
      expect(await codeOf(files.put('x', 'late'))).toBe('session_not_live')
    }))

  it('[P71] [P73] come and go by the command line, large ones in pieces', () =>
    withWorld(async (world) => {
      const session = await create(world, {
        prompt: 'run: mkdir -p artifacts && printf "a\\033[31mb" > artifacts/odd',
      })
      await world.until(session, ({ type }) => type === 'turn.ended')
      const here = await mkdtemp(join(parent, 'here-'))
      const berth = (args: string, input = '') =>
        new Promise<{ out: Buffer; err: string; code: number | null }>((resolve) => {
          const env = { ...process.env, BERTH_URL: world.url, BERTH_DATA_DIR: world.dataDir }
          const options = { cwd: here, env, encoding: 'buffer', maxBuffer: 1e8 } as const
          const child = execFile(
            process.execPath,
            [cliMain, ...args.split(' ')],
            options,
            (error, out, err) =>
              resolve({ out, err: String(err), code: error === null ? 0 : Number(error.code) }),
          )
          child.stdin?.end(input)
        })
      const large = Buffer.alloc(20 * 1024 * 1024 + 3, '0123456789abcdef\n')
      await writeFile(join(here, 'large.bin'), large)
      expect((await berth(`files put ${session} large.bin data/large.bin`)).err).toContain(
        'Made data/large.bin',
      )
      expect((await berth(`files put ${session} - notes.md`, 'from a pipe')).err).toContain('Made notes.md')
      expect((await berth(`files put ${session} - notes.md --new`, 'again')).code).toBe(6)
      expect(String((await berth(`files get ${session} notes.md -`)).out)).toBe('from a pipe')
      expect((await berth(`files get ${session} data/large.bin copy.bin`)).err).toContain('Wrote copy.bin')
      expect((await readFile(join(here, 'copy.bin'))).equals(large)).toBe(true)
      expect((await berth(`files get ${session} notes.md copy.bin`)).code).toBe(6)
      const listed = String((await berth(`files ls ${session} ./data/`)).out)
      expect(listed).toMatch(/-rw-r--r--\s+20 MB\s+\S+ \S+\s+large\.bin/)
      expect(String((await berth(`artifacts ${session} --json`)).out)).toContain('"name":"odd"')
      const { out: packed } = await berth(`files archive ${session} data`)
      expect([packed[0], packed[1]]).toEqual([0x1f, 0x8b])
      expect((await berth(`files rm ${session} data`)).code).toBe(6)
      expect((await berth(`files rm ${session} data -r`)).code).toBe(0)
      expect(String((await berth(`files ls ${session}`)).out)).not.toContain('data')
    }))

  it('[P71] are read and written while a turn runs, one write after another', () =>
    withWorld(async (world) => {
      const session = await create(world, { prompt: 'run: until [ -e go ]; do sleep 0.1; done; cat go' })
      const files = filesOf(world, session)
      await world.until(session, ({ type }) => type === 'turn.started')
      const last = await Promise.all(['a', 'b', 'c'].map((text) => files.put('same', text)))
      expect(last.filter(({ created }) => created)).toHaveLength(1)
      const won = await files.text('same')
      expect(['a', 'b', 'c']).toContain(won)
      expect(await codeOf(files.put('same', 'd', { 'if-match': `"${hashOf('another')}"` }))).toBe(
        'version_mismatch',
      )
      await files.put('go', 'seen by the agent')
      const log = await world.until(session, ({ type }) => type === 'turn.ended')
      expect(messageOf(log)).toContain('seen by the agent')
    }))

  it('[P72] an upload goes on after kill -9 of the backend, and after that of the runner the file is whole', () =>
    withWorld(async (world) => {
      const session = await create(world, { prompt: 'echo: hello' })
      await world.until(session, ({ type }) => type === 'turn.ended')
      const { params, text } = filesOf(world, session)
      const bytes = Buffer.alloc(20 * 1024 * 1024, '0123456789abcdef\n')
      const body = { path: 'large.bin', size: bytes.length, sha256: hashOf(bytes) }
      const { upload } = await world.client.createUpload({ params, body })
      const where = { ...params, upload }
      const slow = () => {
        let at = 0
        return new ReadableStream<Uint8Array>({
          async pull(controller) {
            if (at >= bytes.length) return controller.close()
            controller.enqueue(bytes.subarray(at, at + 256 * 1024))
            at += 256 * 1024
            await new Promise((resolve) => setTimeout(resolve, 20))
          },
        })
      }
      const sending = codeOf(
        world.client.appendUpload({ params: where, bytes: slow, headers: { 'upload-offset': '0' } }),
      )
      await eventually('some parts', async () => {
        const { offset } = await world.client.getUpload({ params: where })
        return offset >= 4 * 1024 * 1024 ? offset : undefined
      })
      await world.stop('SIGKILL')
      await sending
      await world.start()
      const { offset } = await world.client.getUpload({ params: where })
      expect(offset).toBeGreaterThanOrEqual(4 * 1024 * 1024)
      const rest = { bytes: bytes.subarray(offset), headers: { 'upload-offset': String(offset) } }
      await world.client.appendUpload({ params: where, ...rest, timeoutMs: 60_000 })

      // The runner is killed again and again while it writes: each try leaves the old file or the new one.
      await filesOf(world, session).put('large.bin', 'old')
      for (let tries = 0; tries < 2; tries++) {
        const finishing = codeOf(world.client.finishUpload({ params: where, timeoutMs: 120_000 }))
        await world.until(
          session,
          ({ type, data }) => type === 'operation.requested' && JSON.stringify(data).includes('large.bin'),
        )
        const { generation } = await world.client.getSession({ params })
        process.kill(await world.runnerPid(session), 'SIGKILL')
        const code = await finishing
        // Until its end is noticed, a session looks as if its runner were there.
        await world.settled(
          session,
          (summary) => summary.generation > generation && summary.status.phase === 'idle',
        )
        if (code === 'done') break
        expect(['old', bytes.toString()]).toContain(await text('large.bin'))
      }
      const done = await codeOf(world.client.finishUpload({ params: where, timeoutMs: 120_000 }))
      expect(['done', 'upload_not_found']).toContain(done)
      expect(hashOf(await text('large.bin'))).toBe(hashOf(bytes))
      expect(await filesOf(world, session).names()).toEqual(['artifacts', 'large.bin'])
    }))

  it('[P74] no link, pipe or race of the agent leads out of the workspace', () =>
    withWorld(async (world) => {
      const secret = join(world.dataDir, 'owner-token')
      const trap = [
        `ln -s ${secret} out; ln -s / root; mkfifo pipe; mkdir real; echo inside > real/owner-token`,
        `(while true; do ln -sfn ${world.dataDir} flip; ln -sfn real flip; done) >/dev/null 2>&1 &`,
        'sleep 20',
      ]
      const session = await create(world, { prompt: `run: ${trap.join('\n').replaceAll('&\n', '& ')}` })
      const { text, put, names, params } = filesOf(world, session)
      await world.until(session, ({ type }) => type === 'turn.started')
      await eventually('the traps', async () => ((await names()).includes('flip') ? true : undefined))
      const refused = [
        'operation_refused',
        'file_not_found',
        'not_a_file',
        'not_a_directory',
        'operation_failed',
      ]
      const attempts = Array.from({ length: 12 }, () => text('flip/owner-token').catch((error) => error.code))
      for (const found of await Promise.all(attempts)) expect(['inside\n', ...refused]).toContain(found)
      expect(refused).toContain(await codeOf(text('out')))
      expect(refused).toContain(await codeOf(text('pipe')))
      expect(refused).toContain(await codeOf(text(`root${secret}`)))
      expect(refused).toContain(await codeOf(names('root/etc')))
      expect(refused).toContain(await codeOf(put('root/tmp/evil', 'x')))
      const token = await text('real/owner-token')
      expect(token).toBe('inside\n')
      await world.client.interruptSession({ params })
      await world.until(session, ({ type }) => type === 'turn.ended')
    }))
})

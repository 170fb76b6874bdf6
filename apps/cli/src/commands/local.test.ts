import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connect, tokenOf, urlOf } from '../connection.ts'
import { dataDirOf } from '../data-dir.ts'
import { parseRepository } from '../repository-argument.ts'
import { runCli } from '../run-cli.ts'
import { prepareSample } from '../serve/sample-repository.ts'
import { type TestContext, testContext } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

let dir: string
let fake: FakeBackend
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'berth-cli-'))
  fake = await startFakeBackend()
})
afterEach(async () => {
  await fake.close()
  await rm(dir, { recursive: true, force: true })
})

const inDir = (input = '', changes: Parameters<typeof testContext>[1] = {}): TestContext =>
  testContext(fake.url, {
    env: { BERTH_URL: fake.url, BERTH_DATA_DIR: join(dir, 'data') },
    readInput: async () => input,
    ...changes,
  })

describe('berth model-key', () => {
  test('keeps the key readable by the owner only, and shows no more than its end', async () => {
    const set = inDir('sk-ant-0123456789abcd\n')
    expect(await runCli(['model-key', 'set', '--base-url', 'https://models.test'], set)).toBe(0)
    const file = join(dir, 'data', 'model-key.json')
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      apiKey: 'sk-ant-0123456789abcd',
      baseUrl: 'https://models.test',
    })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await stat(join(dir, 'data'))).mode & 0o777).toBe(0o700)
    expect(await readdir(join(dir, 'data'))).toEqual(['model-key.json'])
    const show = inDir()
    await runCli(['model-key', 'show'], show)
    expect(show.stdout()).toBe('…abcd  https://models.test\n')
    expect(set.stdout() + set.stderr() + show.stdout()).not.toContain('0123456789')
    await runCli(['model-key', 'rm'], inDir())
    const after = inDir()
    await runCli(['model-key', 'show'], after)
    expect(after.stdout()).toContain('the scripted model answers')
  })

  test('refuses what is no key and leaves the old one', async () => {
    await runCli(['model-key', 'set'], inDir('a-key-that-is-fine'))
    for (const bad of ['', 'two words here', 'short'])
      expect(await runCli(['model-key', 'set'], inDir(bad))).toBe(2)
    expect(await runCli(['model-key', 'set', '--base-url', 'ftp://x'], inDir('a-key-that-is-fine'))).toBe(2)
    const show = inDir()
    await runCli(['model-key', 'show'], show)
    expect(show.stdout()).toContain('…fine')
  })

  test('asks a person without echo', async () => {
    const never = async () => undefined
    const someone = { decide: never, answer: never, secret: async () => 'typed-in-secret' }
    await runCli(['model-key', 'set'], inDir('', { person: someone, inputIsTty: true }))
    expect(await readFile(join(dir, 'data', 'model-key.json'), 'utf8')).toContain('typed-in-secret')
  })
})

describe('where Berth is', () => {
  test('follows the environment', () => {
    expect(urlOf({})).toBe('http://127.0.0.1:7420')
    expect(urlOf({ BERTH_URL: 'https://berth.test/' })).toBe('https://berth.test')
    expect(urlOf({ BERTH_HOST: '0.0.0.0', BERTH_PORT: '8000' })).toBe('http://127.0.0.1:8000')
    expect(urlOf({ BERTH_HOST: '::1' })).toBe('http://[::1]:7420')
    expect(dataDirOf({ BERTH_DATA_DIR: '/srv/berth' })).toBe('/srv/berth')
  })

  test('the token is the owner’s, unless another is given', async () => {
    const env = { BERTH_DATA_DIR: dir, XDG_CONFIG_HOME: dir }
    expect(await tokenOf(env)).toBeUndefined()
    await writeFile(join(dir, 'owner-token'), 'owner\n')
    expect(await tokenOf(env)).toBe('owner')
    expect(await tokenOf({ ...env, BERTH_TOKEN: 'mine' })).toBe('mine')
    expect(connect(env)).toHaveProperty('getSystem')
  })
})

test.each([
  ['.', { url: '/work' }],
  ['lib#dev', { url: '/work/lib', branch: 'dev' }],
  ['/srv/app', { url: '/srv/app' }],
  ['https://x.test/a.git#feat/1', { url: 'https://x.test/a.git', branch: 'feat/1' }],
  ['git@x.test:a/b.git', { url: 'git@x.test:a/b.git' }],
  ['ext::sh -c id', { url: 'ext::sh -c id' }],
  ['-upload-pack=x', { url: '-upload-pack=x' }],
])('--repo %s', (text, repository) => expect(parseRepository(text, '/work')).toEqual(repository))

test('the sample repository becomes a git repository, once', async () => {
  const source = join(dir, 'source')
  await mkdir(source)
  await writeFile(join(source, 'package.json'), '{"name":"pocket"}')
  const path = await prepareSample(source, dir)
  const log = execFileSync('git', ['log', '--format=%an <%ae> %s', 'main'], { cwd: path, encoding: 'utf8' })
  expect(path).toBe(join(dir, 'samples', 'pocket'))
  expect(log).toBe('Berth <berth@localhost> A small library with a failing test\n')
  await writeFile(join(path, 'mine'), 'kept')
  expect(await prepareSample(source, dir)).toBe(path)
  expect(await readFile(join(path, 'mine'), 'utf8')).toBe('kept')
  expect(await readdir(join(dir, 'samples'))).toEqual(['pocket'])
})

describe('berth doctor', () => {
  const runner = async (answer: unknown) => {
    const path = join(dir, 'runner.mjs')
    await writeFile(path, `console.log(${JSON.stringify(JSON.stringify(answer))})`)
    return { backend: '/nowhere', sample: '/nowhere', runner: path }
  }

  test('finds what is well', async () => {
    const programs = await runner({ sandbox: 'bubblewrap', ok: true, detail: 'bubblewrap 0.8' })
    const context = inDir('', { programs })
    expect(await runCli(['doctor'], context)).toBe(0)
    expect(context.stdout()).toMatch(/✓ sandbox\s+bubblewrap 0\.8/)
    expect(context.stdout()).toMatch(/✓ backend\s+0\.1\.0 at http/)
    expect(context.stdout()).toMatch(
      /! model key\s+none: the scripted model answers\n\s+→ berth model-key set/,
    )
  })

  test('says how to repair what is not', async () => {
    const programs = await runner({
      sandbox: 'bubblewrap',
      ok: false,
      problem: 'no bwrap',
      repair: 'apt-get install bubblewrap',
    })
    const context = inDir('', { programs })
    await mkdir(join(dir, 'data'))
    await chmod(join(dir, 'data'), 0o755)
    expect(await runCli(['doctor'], context)).toBe(1)
    expect(context.stdout()).toMatch(/✗ sandbox\s+no bwrap\n\s+→ apt-get install bubblewrap/)
    expect(context.stdout()).toContain(`chmod go= ${join(dir, 'data')}`)
    expect(context.stderr()).toBe('✗ To repair: sandbox, data directory.\n')
    const json = inDir('', { programs })
    await runCli(['doctor', '--json'], json)
    expect(
      json
        .stdout()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).state),
    ).toContain('fail')
  })
})

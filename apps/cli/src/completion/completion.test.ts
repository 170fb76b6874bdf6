import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildProgram } from '../program.ts'
import { runCli } from '../run-cli.ts'
import { testContext } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'
import { complete } from './candidates.ts'
import { type Shell, scripts } from './scripts.ts'

let fake: FakeBackend
let ids: string[]
beforeEach(async () => {
  fake = await startFakeBackend()
  fake.answers.listProjects = {
    items: ['default', 'web', 'docs'].map((name) => ({ name, displayName: name.toUpperCase() })),
  }
  for (const title of ['Fix the \u001b[2Jtest', 'Write `docs` $(touch owned)'])
    await runCli(['run', '--detach', '--title', title, 'Do it'], testContext(fake.url))
  ids = [...fake.sessions.keys()].map((id) => id.slice(-6))
})
afterEach(() => fake.close())

const candidates = async (...words: string[]) => {
  const context = testContext(fake.url)
  const { client, env } = context
  return complete(buildProgram(context), words, { client, env, signal: AbortSignal.timeout(20_000) })
}
const values = async (...words: string[]) => (await candidates(...words)).candidates.map(({ value }) => value)

describe('what can stand at a place', () => {
  test.each<[string[], string[]]>([
    [['proj'], ['project']],
    [
      ['project', 's'],
      ['show', 'set', 'settings'],
    ],
    [
      ['project', 'settings', ''],
      ['get', 'set', 'unset', 'help'],
    ],
    [
      ['export', '--fo'],
      ['--format', '--force'],
    ],
    [
      ['export', '--format', ''],
      ['jsonl', 'markdown'],
    ],
    [['export', '--format', '=', 'js'], ['jsonl']],
    [
      ['export', '--format', '='],
      ['jsonl', 'markdown'],
    ],
    [['export', '--format=js'], ['--format=jsonl']],
    [
      ['ls', '--phase', 'st'],
      ['starting', 'stopping', 'stopped'],
    ],
    [
      ['run', '-p', 'd'],
      ['default', 'docs'],
    ],
    [['project', 'show', 'w'], ['web']],
    [['project', 'create', 'w'], []],
    [['project', 'settings', 'get', 'web', 'budgetU'], ['budgetUsd']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['run', 'any', 'wo'], []],
    [['nonsense', 'x'], []],
    [['__comp'], []],
  ])('%j', async (words, expected) => expect(await values(...words)).toEqual(expected))

  test('sessions are named by the end of their id, the whole id, or a part of their title', async () => {
    expect(await values('show', '')).toEqual(['last', ...[...ids].reverse()])
    expect(await values('show', 'ses_')).toHaveLength(2)
    expect(await values('show', 'DOCS')).toEqual([ids[1]])
    expect(await values('show', '--', '')).toHaveLength(3)
    const { candidates: named } = await candidates('attach', ids[0] ?? '')
    expect(named).toEqual([{ value: ids[0], text: 'Fix the ␛[2Jtest (pending)' }])
  })

  test('files where a file is wanted, and no space after a setting’s name', async () => {
    expect((await candidates('export', 'last', '-o', 'x')).directive).toBe('files')
    expect((await candidates('run', '--repo', '')).directive).toBe('files')
    expect(await candidates('project', 'settings', 'set', 'web', 'turnM')).toMatchObject({
      directive: 'nospace',
      candidates: [{ value: 'turnMinutes=' }],
    })
  })

  test('nothing, and no error, when the backend is away', async () => {
    await fake.close()
    const context = testContext(fake.url)
    expect(await runCli(['__complete', '--', 'show', ''], context)).toBe(0)
    expect([context.stdout(), context.stderr()]).toEqual(['plain\n', ''])
  })
})

const run = promisify(execFile)
const timeout = 60_000

describe('[P77] in the real shell', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'berth-complete-'))
    const main = join(import.meta.dirname, '..', 'main.ts')
    writeFileSync(join(dir, 'berth'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
    chmodSync(join(dir, 'berth'), 0o755)
    for (const [shell, script] of Object.entries(scripts)) writeFileSync(join(dir, `berth.${shell}`), script)
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  const shell = async (name: Shell, ...args: string[]): Promise<string[]> => {
    const env = {
      PATH: `${dir}:${process.env.PATH}`,
      HOME: dir,
      BERTH_URL: fake.url,
      TERM: 'dumb',
      LANG: 'C.UTF-8',
    }
    const { stdout } = await run(name, args, { cwd: dir, env })
    return stdout.trimEnd().split('\n')
  }
  const missing = (name: Shell) => spawnSync(name, ['--version']).error !== undefined
  const why = (name: Shell) => (missing(name) ? ` (${name} is not installed)` : '')

  const inBash = (...words: string[]) =>
    shell(
      'bash',
      ...['--noprofile', '--norc', '-c'],
      // compopt works only while readline asks; it is not what is tried here.
      `compopt() { :; }; . ./berth.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _berth; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ...['bash', 'berth', ...words],
    )

  test.skipIf(missing('bash'))(`bash${why('bash')}`, { timeout }, async () => {
    expect(await inBash('proj')).toEqual(['project'])
    expect(await inBash('export', '--format', '=', '')).toEqual(['jsonl', 'markdown'])
    expect(await inBash('project', 'show', 'd')).toEqual(['default  (DEFAULT)', 'docs  (DOCS)'])
    expect(await inBash('show', ids[0] ?? '')).toEqual([ids[0]])
    // What a title says is shown, and never run.
    expect(await inBash('show', '')).toContain(`${ids[1]}  (Write \`docs\` $(touch owned) (pending))`)
    expect(spawnSync('ls', [join(dir, 'owned')]).status).not.toBe(0)
  })

  test.skipIf(missing('zsh'))(`zsh${why('zsh')}`, { timeout }, async () => {
    // The real completion, on a terminal of zsh's own: typed is a line, read what it becomes.
    const inZsh = (typed: string, becomes: string) =>
      shell(
        'zsh',
        ...['-f', '-c'],
        `zmodload zsh/zpty; zpty z zsh -f -i
         zpty -w z 'PS1=; autoload -Uz compinit; compinit -u -D; . ./berth.zsh; stty -echo; echo re""ady'
         zpty -r z out '*ready*'; zpty -w -n z "$1"$'\\t'; zpty -r z out "*$2*"; print -r -- $out; zpty -d z`,
        ...['zsh', typed, becomes],
      )
    expect((await inZsh('berth exp', 'berth export')).join('')).toContain('berth export')
    expect((await inZsh('berth show ', ids[1] ?? '')).join('')).toContain(ids[1])
    expect(spawnSync('ls', [join(dir, 'owned')]).status).not.toBe(0)
  })

  test.skipIf(missing('fish'))(`fish${why('fish')}`, { timeout }, async () => {
    const inFish = (line: string) =>
      shell('fish', '--no-config', '-c', 'source ./berth.fish; complete -C $argv[1]', line)
    expect(await inFish('berth proj')).toEqual(['project\tprojects and their settings'])
    expect(await inFish('berth export --format=js')).toEqual(['--format=jsonl'])
    const listed = await inFish('berth show ')
    expect(listed).toContain(`${ids[1]}\tWrite \`docs\` $(touch owned) (pending)`)
    expect(spawnSync('ls', [join(dir, 'owned')]).status).not.toBe(0)
  })
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditRecord, type AuditVerification, BerthError } from '@berth/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chain, headOf, keyPair, testBerth } from '../audit/test-chain.ts'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
let directory: string
beforeEach(async () => {
  fake = await startFakeBackend()
  directory = await mkdtemp(join(tmpdir(), 'berth-audit-cli-'))
})
afterEach(async () => {
  await fake.close()
  await rm(directory, { recursive: true, force: true })
})

const run = (...args: string[]) => runAgainst(fake.url, ['audit', ...args])

const records = chain(4)
const jsonl = (items: readonly unknown[]) => items.map((item) => `${JSON.stringify(item)}\n`).join('')
const write = async (name: string, text: string) => {
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}

describe('[P158] berth audit ls', () => {
  it('shows who did what to what, and what came of it', async () => {
    const refused = {
      object: { kind: 'session', id: 'ses_1' },
      project: 'web',
      result: 'refused',
      code: 'forbidden',
    }
    fake.answers.listAudit = { items: [{ ...records[1], ...refused, address: '10.1.2.3' }, records[0]] }
    const { code, out } = await run('ls')
    expect(code).toBe(0)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/).slice(1)),
    ).toEqual([
      ['WHO', 'DID', 'TO', 'PROJECT', 'RESULT', 'FROM'],
      ['Ada', 'deed 2', 'session ses_1', 'web', 'refused: forbidden', '10.1.2.3'],
      ['Ada', 'deed 1', 'done'],
    ])
    expect((await run('ls', '--json')).out).toBe(
      jsonl((fake.answers.listAudit as { items: unknown[] }).items),
    )
  })

  it('asks for what is wanted: of all, or of a project', async () => {
    fake.answers.listAudit = fake.answers.listProjectAudit = { items: [] }
    const filters = ['--actor', 'ada', '--action', 'secret.*', '--result', 'refused', '--object', 'o']
    expect((await run('ls', ...filters, '--from', '2030-01-01', '--to', '2030-01-02T03:04:05Z')).out).toBe(
      'The audit has no such entry.\n',
    )
    expect(fake.said.listAudit?.query).toEqual({
      ...{ actor: 'ada', action: 'secret.*', result: 'refused', object: 'o', limit: '50' },
      ...{ from: '2030-01-01T00:00:00.000Z', to: '2030-01-02T03:04:05.000Z' },
    })
    await run('ls', '-p', 'web', '-n', '7')
    expect(fake.requests.at(-1)).toBe('GET /api/projects/web/audit')
    expect(fake.said.listProjectAudit?.query).toEqual({ limit: '7' })
    expect(await run('ls', '--from', 'yesterday')).toMatchObject({
      code: 2,
      err: expect.stringContaining('2030-01-31'),
    })
    expect(await run('ls', '--result', 'bad')).toMatchObject({ code: 2 })
  })

  it('shows no control characters of what others named', async () => {
    fake.answers.listAudit = {
      items: [{ ...records[0], actor: { kind: 'user', id: 'a', name: 'A\u001b[31m\nB' } }],
    }
    expect((await run('ls')).out).not.toContain('\u001b[31m')
  })
})

describe('[P158] berth audit export', () => {
  it('writes what it is sent, to a file that it replaces only when told so', async () => {
    fake.answers.exportAudit = fake.answers.exportProjectAudit = jsonl(records)
    expect((await run('export')).out).toBe(jsonl(records))
    const file = join(directory, 'audit.jsonl')
    expect(await run('export', '-o', file, '--actor', 'ada')).toMatchObject({ code: 0, out: '' })
    expect(fake.said.exportAudit?.query).toEqual({ actor: 'ada', format: 'jsonl' })
    expect(await readFile(file, 'utf8')).toBe(jsonl(records))
    expect((await run('export', '-o', file)).code).not.toBe(0)
    expect((await run('export', '-o', file, '--force', '-p', 'web', '--format', 'cloudevents')).code).toBe(0)
    expect(fake.said.exportProjectAudit?.query).toEqual({ format: 'cloudevents' })
  })
})

describe('[P158] berth audit verify', () => {
  const whole: AuditVerification = {
    ...{ ok: true, first: 1, last: 4, entries: 4, digest: records[3]?.sealed?.digest ?? '' },
    ...{ heads: 1, olderHeads: 0, unchecked: 0 },
  }

  it('says what Berth found, and fails when it is not well', async () => {
    fake.answers.verifyAudit = whole
    const heads = await write('heads.jsonl', jsonl([headOf(records[1])]))
    expect(await run('verify', '--heads', heads)).toMatchObject({
      code: 0,
      out: 'The audit is whole: entries 1 to 4, as they were sealed.\nSigned heads that agree with it: 1.\n',
    })
    expect(fake.said.verifyAudit?.body).toEqual({ heads: [headOf(records[1])] })
    const problem = { number: 3, kind: 'changed', message: 'Entry 3 is not what was sealed.' } as const
    const broken = {
      ...whole,
      ok: false,
      last: 2,
      entries: 2,
      heads: 0,
      unchecked: 2,
      olderHeads: 1,
      problem,
    }
    fake.answers.verifyAudit = broken
    const found = await run('verify')
    expect(found.code).not.toBe(0)
    expect(found.out).toContain(
      'The audit was changed. Entry 3 is not what was sealed. Up to there it is whole',
    )
    expect(found.out).toContain('key is not in the key file any more: 2')
    expect(JSON.parse((await run('verify', '--json')).out)).toEqual(broken)
    fake.answers.verifyAudit = new BerthError('unavailable', 'The audit is being checked.')
    expect(await run('verify')).toMatchObject({ out: '', err: expect.stringContaining('is being checked') })
  })

  it('checks an export without asking Berth', async () => {
    const file = await write('audit.jsonl', jsonl(records))
    const heads = await write('heads.jsonl', `\n${jsonl([headOf(records[1]), headOf(records[3])])}`)
    const key = await write(
      'key.json',
      JSON.stringify({ keys: [{ keyId: 'k1', publicKey: testBerth.publicKey }] }),
    )
    expect(await run('verify', '--file', file, '--heads', heads, '--key', key)).toMatchObject({
      code: 0,
      out: 'The export is whole: 4 entries, 1 to 4.\nSigned heads that agree with it: 2, the last of entry 4.\n',
    })
    expect((await run('verify', '--file', file)).out).toContain('No signed head vouches for it')
    const cut = await write('cut.jsonl', jsonl(records.slice(0, 3)))
    expect((await run('verify', '--file', cut, '--heads', heads, '--key', key)).out).toContain(
      'Signed heads of entries after its end: 1. It was made before them, or was cut.',
    )
    expect(fake.requests).toEqual([])
  })

  it('finds an export that was changed, and says what it can’t read', async () => {
    const changed = [records[0], { ...records[1], action: 'other' }, records[2]] as AuditRecord[]
    const file = await write('audit.jsonl', jsonl(changed))
    const found = await run('verify', '--file', file)
    expect(found.code).not.toBe(0)
    expect(found.out).toContain('The export was changed. Entry 2 (aud_2) is not what was sealed.')
    const heads = await write('heads.jsonl', jsonl([headOf(records[1])]))
    const wrong = await write(
      'wrong.json',
      JSON.stringify({ keys: [{ keyId: 'k1', publicKey: keyPair().publicKey }] }),
    )
    const bad = await write('bad.jsonl', `${jsonl([records[0]])}{"id":`)
    for (const [args, message] of [
      [['--file', file, '--heads', heads], 'Give the public keys with --key'],
      [['--file', file, '--heads', heads, '--key', wrong], 'signature of the head of entry 2 is not right'],
      [['--file', file, '--heads', heads, '--key', file], 'audit.jsonl is not what was expected there'],
      [['--file', bad], 'bad.jsonl:2 is not what was expected there'],
      [['--file', join(directory, 'none')], 'can’t be read'],
      [['--heads', file], 'audit.jsonl:1 is not what was expected there'],
      [['--key', wrong], '--key is for --file'],
    ] as const)
      expect(await run('verify', ...args)).toMatchObject({ err: expect.stringContaining(message), out: '' })
    expect(fake.requests).toEqual([])
  })

  it('prints heads and keys to be kept', async () => {
    fake.answers.listAuditHeads = { items: [headOf(records[3]), headOf(records[1])] }
    fake.answers.getAuditKey = { keys: [{ keyId: 'k1', publicKey: testBerth.publicKey }] }
    expect((await run('heads', '-n', '2')).out).toBe(jsonl([headOf(records[3]), headOf(records[1])]))
    expect(fake.said.listAuditHeads?.query).toEqual({ limit: '2' })
    expect(JSON.parse((await run('key')).out)).toEqual(fake.answers.getAuditKey)
  })
})

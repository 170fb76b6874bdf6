import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type AuditHead, type AuditRecord, auditHead, auditRecord, routes } from '@berth/contract'
import type { Command } from 'commander'
import { type ExportCheck, ExportChecker } from '../audit/check-export.ts'
import { verifyInBatches } from '../audit/verify-in-batches.ts'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { examples, type JsonOptions, jsonOption, wholeNumber } from '../options.ts'
import { verificationLines } from '../render/audit.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

interface VerifyOptions extends JsonOptions {
  heads?: string
  file?: string
  key?: string
}

export const addAuditVerify = (audit: Command, context: Context): void => {
  const verify = audit
    .command('verify')
    .summary('check that nobody changed the audit')
    .description(
      'Lets Berth compute its whole chain again: every entry, seal and signed head. With heads that were kept elsewhere it also shows whether entries are missing at the end, or were made anew by somebody with all rights. With --file an export is checked here, without asking Berth: each entry against the chain, and the chain against signed heads, by the public key.',
    )
    .option('--heads <file>', 'signed heads that were kept, a JSON line each')
    .option('--file <export>', 'check this export (JSON lines) instead of the audit itself')
    .option('--key <file>', 'public keys for it, as `berth audit key` prints them')
    .addOption(jsonOption('what was found'))
    .action((options: VerifyOptions) => run(context, options))
  examples(verify, [
    'berth audit verify',
    'berth audit verify --heads /mnt/kept/heads.jsonl',
    'berth audit verify --file audit.jsonl --heads heads.jsonl --key key.json',
  ])
  audit
    .command('heads')
    .summary('print signed heads, to be kept elsewhere')
    .description('Prints signed heads of the audit’s chain, the newest first, a JSON line each.')
    .option('-n, --lines <count>', 'so many at most', wholeNumber(1, 200), 1)
    .action(async ({ lines }: { lines: number }) => {
      for (const head of (await context.client.listAuditHeads({ query: { limit: lines } })).items)
        context.out.line(safeJson(head))
    })
  audit
    .command('key')
    .summary('print the public keys of signed heads')
    .description('Prints the public keys with which signed heads are checked, as JSON.')
    .action(async () => context.out.line(safeJson(await context.client.getAuditKey({}))))
}

const run = async (context: Context, options: VerifyOptions): Promise<void> => {
  const heads = options.heads === undefined ? [] : await readHeads(options.heads)
  if (options.file !== undefined) return checkFile(context, options.file, { ...options, given: heads })
  if (options.key !== undefined)
    throw new ExitError('usage', '--key is for --file: Berth knows its own keys.')
  const { client, out } = context
  const found = await verifyInBatches(heads, (batch) =>
    client.verifyAudit({ body: { heads: batch }, timeoutMs: 20 * 60_000 }),
  )
  for (const line of options.json === true ? [safeJson(found)] : verificationLines(found))
    out.line(safeLine(line))
  if (!found.ok) throw new ExitError('refused', 'The audit is not what it was.')
}

const checkFile = async (
  { out }: Context,
  file: string,
  { key, given, json }: VerifyOptions & { given: readonly AuditHead[] },
): Promise<void> => {
  if (given.length > 0 && key === undefined)
    throw new ExitError('usage', 'Give the public keys with --key: `berth audit key` prints them.')
  const checker = checkerOf(given, key === undefined ? [] : await readKeys(key))
  for await (const record of recordsOf(file)) if (!checker.add(record)) break
  const found = checker.result()
  for (const line of json === true ? [safeJson(found)] : exportLines(found)) out.line(safeLine(line))
  if (found.problem !== undefined) throw new ExitError('refused', 'The export is not what was sealed.')
}

const exportLines = ({
  entries,
  first,
  last,
  gaps,
  heads,
  beyond,
  proven,
  problem,
}: ExportCheck): string[] => [
  problem === undefined
    ? `The export is whole: ${entries} entries, ${first} to ${last}.`
    : `The export was changed. ${problem}`,
  ...(gaps > 0 ? [`Entries are left out at ${gaps} places, as in the export of one project.`] : []),
  ...(beyond > 0
    ? [`Signed heads of entries after its end: ${beyond}. It was made before them, or was cut.`]
    : []),
  heads > 0
    ? `Signed heads that agree with it: ${heads}, the last of entry ${proven}.`
    : 'No signed head vouches for it: give some with --heads and --key. Without, somebody could have made all of it anew.',
]

const checkerOf = (heads: readonly AuditHead[], keys: readonly { keyId: string; publicKey: string }[]) => {
  try {
    return new ExportChecker(heads, keys)
  } catch (error) {
    throw new ExitError('refused', (error as Error).message)
  }
}

async function* recordsOf(file: string): AsyncGenerator<AuditRecord> {
  for await (const [line, number] of linesOf(file)) yield parsed(line, auditRecord, `${file}:${number}`)
}

const readHeads = async (file: string): Promise<AuditHead[]> => {
  const heads: AuditHead[] = []
  for await (const [line, number] of linesOf(file)) heads.push(parsed(line, auditHead, `${file}:${number}`))
  return heads
}

const readKeys = async (file: string) =>
  parsed(await readFile(file, 'utf8').catch(unreadable(file)), routes.getAuditKey.response.body, file).keys

async function* linesOf(file: string): AsyncGenerator<[string, number]> {
  let number = 0
  const stream = createReadStream(file)
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1
      if (line.trim() !== '') yield [line, number]
    }
  } catch (error) {
    if (error instanceof ExitError) throw error
    unreadable(file)(error)
  } finally {
    stream.destroy()
  }
}

const unreadable =
  (file: string) =>
  (error: unknown): never => {
    throw new ExitError('refused', `${safeLine(file)} can’t be read: ${(error as Error).message}`)
  }

const parsed = <T>(
  text: string,
  schema: { safeParse: (value: unknown) => { success: true; data: T } | { success: false } },
  where: string,
): T => {
  try {
    const result = schema.safeParse(JSON.parse(text))
    if (result.success) return result.data
  } catch {
    // Said below.
  }
  throw new ExitError('refused', `${safeLine(where)} is not what was expected there.`)
}

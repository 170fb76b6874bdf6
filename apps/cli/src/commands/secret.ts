import { readFile } from 'node:fs/promises'
import { type SecretKind, secretKind } from '@berth/contract'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderSealingKeys, renderSecrets } from '../render/secrets.ts'
import { safeJson } from '../terminal/safe-text.ts'

interface SetOptions extends ProjectOptions {
  kind: SecretKind
  var?: string
  file?: string
  note?: string
}

export const addSecret = (program: Command, context: Context): void => {
  const group = program
    .command('secret')
    .summary('keep secrets of a project')
    .description(
      'Keeps what only the backend uses: keys of model providers, tokens of git hosts, headers. Nothing gives a value back. Settings refer to a secret by its name.',
    )
  group
    .command('set')
    .argument('<name>')
    .description(
      'Sets a secret, or a new value of it. The value is asked for without echo, or read from a file or standard input: never given as an argument.',
    )
    .addOption(
      new Option('--kind <kind>', 'what it is for').choices(secretKind.options).makeOptionMandatory(),
    )
    .option(
      '--var <name>',
      'for environment: the variable that holds it; the agent, and who prompts it, can read it',
    )
    .option('--file <file>', 'read the value from a file')
    .option('--note <text>', 'what people should know of it')
    .addOption(projectOption())
    .action((name: string, options: SetOptions) => set(context, name, options))
  group
    .command('ls')
    .description('Lists the secrets: everything but their values.')
    .addOption(projectOption())
    .addOption(jsonOption('the secrets'))
    .action(async ({ project, json }: ProjectOptions & JsonOptions) => {
      const { client, out, now } = context
      const { items } = await client.listSecrets({ params: { project } })
      const view = { width: out.columns(), style: out.style, now: now() }
      out.line(json === true ? safeJson(items) : renderSecrets(items, view))
    })
  group
    .command('rm')
    .argument('<name>')
    .description('Deletes a secret. Refused while settings refer to it.')
    .option('--force', 'also while settings refer to it')
    .addOption(projectOption())
    .action(async (name: string, { project, force = false }: ProjectOptions & { force?: boolean }) => {
      await context.client.deleteSecret({
        params: { project, name },
        query: { force: String(force) as never },
      })
      context.out.line(
        `The secret ${name} is deleted. Its values are hidden for 30 more days where they are shown.`,
      )
    })
  addSealing(group, context)
}

/** What platform admins do with the keys that seal all secrets. */
const addSealing = (group: Command, context: Context): void => {
  group
    .command('keys')
    .description('Lists the keys of the installation that seal secrets, and which are still needed.')
    .addOption(jsonOption('the keys'))
    .action(async ({ json }: JsonOptions) => {
      const { client, out } = context
      const { items } = await client.listSealingKeys({})
      out.line(
        json === true
          ? safeJson(items)
          : renderSealingKeys(items, { width: out.columns(), style: out.style }),
      )
    })
  group
    .command('rekey')
    .description(
      'Seals every secret with the current key while Berth runs. It can be cut short and begun again. Then the others may be taken out of the key file.',
    )
    .action(async () => {
      const { client, out } = context
      let total = 0
      for (;;) {
        const { done, left, unusable } = await client.rekeySecrets({ body: { limit: 200 } })
        total += done
        if (done > 0 && left > unusable) {
          out.line(`${total} sealed anew, ${left} left`)
          continue
        }
        out.line(`${total} values were sealed anew.`)
        if (left > 0) out.line(`${left} can't be: their key is missing. Set these secrets anew.`)
        return
      }
    })
}

const set = async (context: Context, name: string, options: SetOptions): Promise<void> => {
  const value = (await readValue(context, options.file)).replace(/\r?\n$/, '')
  if (value === '') throw new ExitError('usage', 'There is no value. Nothing was changed.')
  const secret = await context.client.putSecret({
    params: { project: options.project, name },
    body: { kind: options.kind, value, note: options.note ?? '', variable: options.var },
  })
  context.out.line(`The secret ${name} is set (version ${secret.version}).`)
  if (secret.visibleToAgent)
    context.out.line(
      `Visible to the agent: as ${secret.variable} in its environment, so whoever may prompt it can learn it.`,
    )
}

const readValue = async (context: Context, file: string | undefined): Promise<string> => {
  if (file !== undefined)
    return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new ExitError('usage', `${file} can't be read (${error.code}). Nothing was changed.`)
    })
  if (context.inputIsTty && context.person !== undefined)
    return (await context.person.secret('Value (not shown)')) ?? ''
  return (await context.readInput()) ?? ''
}

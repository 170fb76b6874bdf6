import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { dataDirOf } from '../data-dir.ts'
import { ExitError } from '../exit-code.ts'
import { maskKey, readModelKey, removeModelKey, writeModelKey } from '../model-key-file.ts'
import { safeLine } from '../terminal/safe-text.ts'

export const addModelKey = (program: Command, context: Context): void => {
  const group = program
    .command('model-key')
    .summary('the key for the real model')
    .description(
      'Keeps the key for the real model in the data directory, readable by you only. Without one, the scripted model answers.',
    )
  group
    .command('set')
    .description(
      'Sets the key. It is asked for without echo, or read from standard input: never given as an argument.',
    )
    .option('--base-url <url>', 'address of the API, where it isn’t Anthropic’s own')
    .action((options: { baseUrl?: string }) => set(context, options))
  group
    .command('show')
    .description('Shows the end of the key, and where it leads.')
    .action(() => show(context))
  group
    .command('rm')
    .description('Removes the key: new sessions use the scripted model.')
    .action(() => remove(context))
}

const set = async (context: Context, { baseUrl }: { baseUrl?: string }): Promise<void> => {
  const typed =
    context.inputIsTty && context.person !== undefined
      ? await context.person.secret('API key (not shown)')
      : await context.readInput()
  const apiKey = (typed ?? '').trim()
  if (!/^[\x21-\x7e]{8,500}$/.test(apiKey))
    throw new ExitError(
      'usage',
      'That is no key: expected 8 to 500 printable characters without spaces. Nothing was changed.',
    )
  if (baseUrl !== undefined && !isHttpUrl(baseUrl))
    throw new ExitError('usage', `--base-url ${baseUrl} is not an http or https URL. Nothing was changed.`)
  await writeModelKey(dataDirOf(context.env), baseUrl === undefined ? { apiKey } : { apiKey, baseUrl })
  context.out.line(
    `The key ${maskKey(apiKey)} is set: new sessions use the real model. Sessions that exist keep the model that they began with.`,
  )
}

const show = async ({ env, out, berth }: Context): Promise<void> => {
  const key = await readModelKey(dataDirOf(env))
  if (key === undefined)
    return out.line(`No key is set: the scripted model answers. Set one: ${berth} model-key set`)
  out.line(`${maskKey(key.apiKey)}  ${safeLine(key.baseUrl ?? 'https://api.anthropic.com')}`)
}

const remove = async ({ env, out }: Context): Promise<void> => {
  const existed = await removeModelKey(dataDirOf(env))
  out.line(
    existed
      ? 'The key is removed: new sessions use the scripted model, and sessions of the real one can’t go on.'
      : 'No key is set.',
  )
}

const isHttpUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

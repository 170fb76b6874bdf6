import type { Share, Sharing, Visibility } from '@berth/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import {
  collect,
  examples,
  type JsonOptions,
  jsonOption,
  type ProjectOptions,
  projectOption,
} from '../options.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { subjectHelp, subjectIn } from '../subject.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'

interface ShareOptions extends ProjectOptions, JsonOptions {
  private?: boolean
  open?: boolean
  with?: string[]
  without?: string[]
}

export const addShare = (program: Command, context: Context): void => {
  const command = program
    .command('share')
    .summary('who sees a session')
    .description(
      'Shows who sees a session, or changes it. A private session is seen by its owner, by those it is shared with and by the ' +
        'project’s admins; a share gives nobody more than their role in the project.',
    )
    .argument('<session>', sessionArgument)
    .option('--private', 'only its owner, those it is shared with, and admins of the project')
    .option('--open', 'the whole project')
    .option(
      '--with <who=role>',
      `share it: ${subjectHelp}; the role is viewer or editor; repeatable`,
      collect,
    )
    .option('--without <who>', 'share it no more; repeatable', collect)
    .addOption(projectOption())
    .addOption(jsonOption('visibility and shares'))
    .action((text: string, options: ShareOptions) => share(context, text, options))
  examples(command, [
    'berth share last',
    'berth share last --private --with user:ada@example.com=viewer',
    'berth share last --without user:ada@example.com',
    'berth share last --open',
  ])
}

const share = async ({ client, out }: Context, text: string, options: ShareOptions): Promise<void> => {
  const { id: session, project } = await findSession(text, { client, project: options.project })
  const params = { project, session }
  const before = await client.getSharing({ params })
  const change = changeOf(before, options)
  const after =
    change === undefined
      ? before
      : await client.updateSharing({ params, body: change, ifMatch: before.version })
  if (options.json === true) return out.line(safeJson(after))
  for (const line of describeSharing(after)) out.line(line)
}

/** What the options say of what is; undefined: nothing. */
const changeOf = (
  before: Sharing,
  options: ShareOptions,
): { visibility?: Visibility; shares?: Share[] } | undefined => {
  if (options.private === true && options.open === true)
    throw new ExitError('usage', 'Say either --private or --open.')
  const visibility = options.private === true ? 'private' : options.open === true ? 'project' : undefined
  const given = (options.with ?? []).map(shareIn)
  const taken = (options.without ?? []).map(subjectIn)
  if (visibility === undefined && given.length + taken.length === 0) return undefined
  const isNamed = (share: Share) =>
    [...given, ...taken].some(({ kind, id }) => kind === share.kind && id === share.id)
  const shares = [...before.shares.filter((share) => !isNamed(share)), ...given]
  return { ...(visibility === undefined ? {} : { visibility }), shares }
}

/** A share as people write it: `user:ada@example.com=viewer`; without a role it is `viewer`. */
const shareIn = (text: string): Share => {
  const [, who = text, role = 'viewer'] = /^(.*)=([a-z]+)$/.exec(text) ?? []
  if (role !== 'viewer' && role !== 'editor')
    throw new ExitError('usage', `${safeLine(role)} is no role of a share. Write viewer or editor.`)
  return { ...subjectIn(who), role }
}

const describeSharing = ({ visibility, shares }: Sharing): string[] => {
  const others = shares.map(({ kind, id, role }) => `  ${kind}:${safeLine(id)} (${role})`)
  if (visibility === 'project')
    return [
      'The whole project sees it.',
      ...(others.length === 0 ? [] : ['If it becomes private, also:', ...others]),
    ]
  const list = others.length === 0 ? ['It is shared with nobody.'] : ['It is shared with:', ...others]
  return ['Private: its owner and the project’s admins see it.', ...list]
}

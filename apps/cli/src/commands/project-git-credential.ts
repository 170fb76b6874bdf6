import { type GitCredential, gitCredential } from '@berth/contract'
import { type Command, Option } from 'commander'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { examples, type JsonOptions, jsonOption } from '../options.ts'
import { renderGitCredentials } from '../render/git-credentials.ts'
import { renderTable } from '../render/table.ts'
import { safeJson, safeLine } from '../terminal/safe-text.ts'
import { changeSettings } from './project-settings.ts'

interface AddOptions {
  secret: string
  kind: GitCredential['kind']
  path?: string
  bearer?: boolean
  appId?: string
  installationId?: string
  apiUrl?: string
}

export const addProjectGitCredential = (project: Command, context: Context): void => {
  const group = project
    .command('git-credential')
    .summary('how git signs in at git servers')
    .description(
      'The git credentials of a project: which secret signs in at which host. Only the backend ever has the values.',
    )
  const add = group
    .command('add <name> <host>')
    .description('Adds a credential, or replaces that of the same host and path.')
    .requiredOption('--secret <name>', 'the secret of the project that has the value')
    .addOption(
      new Option('--kind <kind>', 'what the value is')
        .choices(['token', 'basic', 'gitlab', 'github-app'])
        .default('token'),
    )
    .option('--path <prefix>', 'only for repositories below it, such as team/')
    .option('--bearer', 'send a token as a bearer token')
    .option('--app-id <number>', 'of a GitHub App')
    .option('--installation-id <number>', 'of a GitHub App')
    .option('--api-url <url>', 'the API of a GitHub Enterprise Server')
    .action((name: string, host: string, options: AddOptions) =>
      change(context, name, (list) => {
        const credential = credentialOf(host, options)
        return [...list.filter((item) => !isAt(item, credential)), credential]
      }),
    )
  examples(add, [
    'berth project git-credential add web github.com --secret github',
    'berth project git-credential add web git.example.com:8443 --kind gitlab --path team/ --secret lab',
    'berth project git-credential add web github.com --kind github-app --app-id 12 --installation-id 34 --secret app-key',
  ])
  group
    .command('ls <name>')
    .description('Lists the credentials; never a value.')
    .addOption(jsonOption('the credentials'))
    .action((name: string, options: JsonOptions) => list(context, name, options))
  group
    .command('rm <name> <host>')
    .description('Removes a credential. The secret stays.')
    .option('--path <prefix>', 'that of this path')
    .action((name: string, host: string, { path }: { path?: string }) =>
      change(context, name, (items) => {
        const left = items.filter((item) => !isAt(item, { host, path }))
        if (left.length < items.length) return left
        throw new ExitError(
          'usage',
          `${safeLine(name)} has no credential for ${safeLine(placeOf({ host, path }))}.`,
        )
      }),
    )
  group
    .command('test <name> [url]')
    .description(
      'Asks GitHub and GitLab what the credentials are, and, with the address of a repository, its git server for the branches, as sessions of the project would.',
    )
    .action(async (name: string, url: string | undefined) => {
      const tested = await context.client.testGitCredentials({ params: { project: name }, body: {} })
      context.out.line(renderGitCredentials(tested, context.out))
      if (!tested.ok) throw new ExitError('failed', 'Not every credential works.')
      if (url === undefined) return
      const { branches, more } = await context.client.listBranches({
        params: { project: name },
        query: { url },
      })
      context.out.line(`${safeLine(url)} can be read: ${branches.length}${more ? ' or more' : ''} branches.`)
    })
}

type Place = Pick<GitCredential, 'host' | 'path'>

const placeOf = ({ host, path = '' }: Place) => `${host}/${path.replace(/\/$/, '')}`
const isAt = (item: Place, place: Place): boolean => placeOf(item) === placeOf(place)

const credentialOf = (host: string, options: AddOptions): GitCredential => {
  const { kind, path, secret, bearer, appId, installationId, apiUrl } = options
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text))
  const app = { appId: number(appId), installationId: number(installationId), apiUrl }
  const given = {
    ...{ host, path, kind, secret },
    ...(bearer === true ? { as: 'bearer' } : {}),
    ...Object.fromEntries(Object.entries(app).filter(([, value]) => value !== undefined)),
  }
  const parsed = gitCredential.safeParse(given)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path: [field], message }) => `${String(field ?? kind)}: ${message}`,
  )
  throw new ExitError('usage', problems.join('\n'))
}

const change = (
  context: Context,
  name: string,
  edit: (list: readonly GitCredential[]) => GitCredential[],
): Promise<void> =>
  changeSettings(context, { name, json: false }, ({ gitCredentials = [] }) => ({
    gitCredentials: edit(gitCredentials as GitCredential[]),
  }))

const list = async ({ client, out }: Context, name: string, { json }: JsonOptions): Promise<void> => {
  const { effective } = await client.getProjectSettings({ params: { project: name } })
  const { gitCredentials } = effective
  if (json === true) return out.line(safeJson(gitCredentials))
  if (gitCredentials.length === 0) return out.line(`${safeLine(name)} has no git credentials.`)
  const columns = [
    { title: 'HOST' },
    { title: 'PATH', shrinks: true },
    { title: 'KIND' },
    { title: 'SECRET' },
  ]
  const rows = gitCredentials.map(({ host, path = '', kind, secret }) =>
    [host, path, kind, secret].map((text) => ({ text: safeLine(text) })),
  )
  out.line(renderTable({ columns, rows }, { width: out.columns(), style: out.style }))
}

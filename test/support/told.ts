import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { emptyTranscript, foldTranscript, type Route, type RouteName, routes } from '@berth/contract'
import { project, type World } from './world.ts'

const cliMain = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))

/** Something that people can get to see; bytes as Latin 1. */
export interface Told {
  from: string
  text: string
}

/** How a value may show. */
export const forms = (value: string): string[] => {
  const bytes = Buffer.from(value)
  const signedIn = Buffer.from(`x-access-token:${value}`).toString('base64')
  // What stands behind it decides the last digits.
  return [
    value,
    encodeURIComponent(value),
    bytes.toString('hex'),
    bytes.toString('base64').slice(0, -4),
    signedIn,
  ]
}

/** Queries with which rows answer, by name. */
const queries: Partial<Record<RouteName, string[]>> = {
  getChangedFile: ['?repository=private&path=new.txt'],
  listBranches: ['?url=URL'],
  readFile: ['?path=private/new.txt'],
  getUsage: ['', '?format=csv'],
  getProjectUsage: ['', '?format=csv&by=user'],
  getSessionUsage: ['', '?format=csv'],
  exportAudit: ['', '?format=cloudevents'],
  exportProjectAudit: ['', '?format=cloudevents'],
  listEvents: ['?limit=1000', '?stream'],
  listProjectChanges: ['?stream'],
}

/** What every row that reads answers, refusals too. */
export const answersOf = async (world: World, session: string): Promise<Told[]> => {
  const token = (await readFile(join(world.dataDir, 'owner-token'), 'utf8')).trim()
  const events = JSON.stringify(await world.events(session))
  const { items } = await world.client.listRepositories({ params: { project, session } })
  const params: Record<string, string> = {
    ...{ project, session, upload: `upl_${session.slice(4)}` },
    blob: /"blob":"([0-9a-f]{64})"/.exec(events)?.[1] ?? '0'.repeat(64),
  }
  const rows = (Object.entries(routes) as [RouteName, Route][]).filter(([, { method }]) => method === 'GET')
  const asks = rows.flatMap(([name, { path }]) =>
    (queries[name] ?? ['']).map((query) => [
      path.replace(/:([a-z]+)/g, (_, param: string) => params[param] ?? 'app'),
      query.replace('URL', encodeURIComponent(items[0]?.url ?? '')),
    ]),
  )
  const ask = ([path = '', query = '']: string[]) => answerOf(`${world.url}${path}`, { query, token })
  return (await Promise.all(asks.map(ask))).flat()
}

const answerOf = async (url: string, { query, token }: { query: string; token: string }): Promise<Told[]> => {
  const stream = query === '?stream'
  const headers = {
    authorization: `Bearer ${token}`,
    accept: stream ? 'text/event-stream' : 'application/json, */*',
  }
  const response = await fetch(`${url}${stream ? '?after=0' : query}`, { headers, redirect: 'manual' })
  const from = `${url}${query} (${response.status})`
  const text = stream
    ? await beginningOf(response)
    : Buffer.from(await response.arrayBuffer()).toString('latin1')
  return [
    { from: `the headers of ${from}`, text: [...response.headers].join('\n') },
    { from, text },
  ]
}

/** What a stream tells until it comes to rest: its first heartbeat. */
const beginningOf = async (response: Response): Promise<string> => {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (/^:/m.test(text) && text.includes('data:')) break
  }
  return text
}

/** The chat, the backend's log, and what commands print. */
export const told = async (world: World, session: string): Promise<Told[]> => {
  const transcript = emptyTranscript()
  for (const event of await world.events(session)) foldTranscript(transcript, event)
  const commands = [
    ['show', session],
    ['logs', session, '-n', '1000'],
    ['export', session],
    ['secret', 'ls'],
    ['audit', 'ls'],
  ]
  const printed = await Promise.all(commands.map((args) => printedBy(world, args)))
  return [
    { from: 'the chat', text: JSON.stringify([...transcript.entries.values()]) },
    { from: 'the backend’s log', text: world.log.join('\n') },
    ...printed,
  ]
}

const printedBy = async (world: World, args: string[]): Promise<Told> => {
  const env = {
    PATH: process.env.PATH,
    HOME: world.dataDir,
    BERTH_URL: world.url,
    BERTH_DATA_DIR: world.dataDir,
  }
  const result = await promisify(execFile)(process.execPath, [cliMain, ...args], {
    env,
    maxBuffer: 1 << 26,
  }).catch((error: { stdout?: string; stderr?: string }) => error)
  return { from: `berth ${args.join(' ')}`, text: `${result.stdout}\n${result.stderr}` }
}

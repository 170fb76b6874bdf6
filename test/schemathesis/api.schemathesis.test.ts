import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampleRepo } from '../support/sample.ts'
import { create, ended } from '../support/talk.ts'
import { project, type World, withWorld } from '../support/world.ts'
import { callerOf, callers } from './callers.ts'
import { type Examined, examine, type Known } from './examine.ts'
import { installSchemathesis } from './install.ts'
import { succeeded, surprises, unasked } from './rights.ts'

let parent: string
let program: string

beforeAll(async () => {
  program = await installSchemathesis()
  parent = await mkdtemp(join(tmpdir(), 'berth-schemathesis-'))
})

afterAll(() => rm(parent, { recursive: true, force: true }))

/**
 * Nothing is throttled: requests come from many addresses (`addresses.py`). Every session that is made finds room, for what is
 * asked of one that waits takes half a minute to be refused.
 */
const open = {
  BERTH_MAX_LIVE_SESSIONS: '40',
  BERTH_RATE_LIMITS: 'read=0,write=0,expensive=0',
  BERTH_TRUSTED_PROXIES: '127.0.0.1',
}

/** A session that has changed something, and what else there is to ask for. */
const prepare = async (world: World): Promise<Known> => {
  const name = `app-${world.pid}`
  const url = await sampleRepo(parent, name)
  const prompt = 'run: echo changed > README.md; mkdir -p ../artifacts; echo made > ../artifacts/made.txt'
  const session = await create(world, { prompt, repositories: [{ url }] })
  await world.until(session, ended)
  const params = { project, name: 'token' }
  await world.client.putSecret({ params, body: { kind: 'http-header', value: 'a value that is no word 1' } })
  return {
    'path.project': [project],
    'path.session': [session],
    'path.name': ['token', name],
    'query.repository': [name],
    'query.path': ['README.md', `${name}/README.md`, name],
    'query.url': [url],
    'header.If-Match': ['"1"', '"2"'],
  }
}

/** A project that may be archived and deleted while the other one is asked. */
const spare = async ({ client }: World): Promise<Record<string, Known>> => {
  await client.createProject({ body: { name: 'spare' } })
  const known = { 'path.project': ['spare'], 'query.confirm': ['spare'] }
  const operations = ['archiveProject', 'unarchiveProject', 'deleteProject', 'getProjectDeletion']
  return Object.fromEntries(operations.map((name) => [name, known]))
}

type Found = Examined & { refusals: string[]; unasked: string[]; faults: string[] }

const ask = async (name: (typeof callers)[number]): Promise<Found> => {
  const found: Found[] = []
  await withWorld(async (world) => {
    const caller = await callerOf(world, name)
    const all = name === 'owner'
    const examined = await examine({
      ...{ program, url: world.url, directory: world.dataDir, caller, timeoutMs: 840_000 },
      known: await prepare(world),
      knownOf: all ? await spare(world) : undefined,
      // What is refused before it is read needs few requests; one finds what the handlers do wrong.
      phases: all ? ['coverage', 'fuzzing'] : ['fuzzing'],
      examples: all ? 10 : 6,
      // Each takes a probe of the runtime; whoever may not have one is refused like everywhere.
      without: all ? ['diagnose'] : [],
    })
    const { answers } = examined
    const faults = world.log.filter((line) => /^\{"level":[56]0,/.test(line))
    found.push({
      ...examined,
      refusals: surprises(answers, caller),
      unasked: unasked(answers, caller),
      faults,
    })
  }, open)
  return found[0] as Found
}

describe('[P201] schemathesis finds no fault, and no answer that is not documented', () => {
  it.concurrent.each(callers)('as %s', async (name) => {
    const found = await ask(name)
    if (found.failures !== undefined) throw new Error(found.failures)
    expect(found.refusals).toEqual([])
    expect(found.faults).toEqual([])
    expect(found.unasked).toEqual(name === 'owner' ? ['diagnose'] : [])
    if (name === 'owner') expect(succeeded(found.answers).length).toBeGreaterThan(70)
  })
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { choose } from './choose.ts'
import { readConversation } from './conversation.ts'
import { builtInScenarios, loadScenarios } from './load-scenarios.ts'
import { readMessagesRequest } from './messages-request.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'scenarios-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const file = (name: string) => `name: ${name}\ndescription: d\nsteps: [{ text: t }]\n`

test('loads by name and leaves other files alone', async () => {
  await writeFile(join(directory, 'b.yml'), file('two'))
  await writeFile(join(directory, 'a.yaml'), file('one'))
  await writeFile(join(directory, 'notes.txt'), 'not a scenario')
  expect(loadScenarios(directory).map((scenario) => scenario.name)).toEqual(['one', 'two'])
})

test('refuses two scenarios of one name', async () => {
  await writeFile(join(directory, 'a.yaml'), file('same'))
  await writeFile(join(directory, 'b.yaml'), file('same'))
  expect(() => loadScenarios(directory)).toThrow(/b\.yaml[\s\S]*also in .*a\.yaml. Rename/)
})

test('refuses a directory that is empty or missing', () => {
  expect(() => loadScenarios(directory)).toThrow('at least 1')
  expect(() => loadScenarios(join(directory, 'none'))).toThrow("can't be read")
})

const builtIn = loadScenarios(builtInScenarios)

test.each(
  builtIn.filter((scenario) => scenario.example).map((scenario) => [scenario.name, scenario.example ?? '']),
)('the example of %s chooses it', (name, example) => {
  const body = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content: example }] }
  expect(choose(builtIn, readConversation(readMessagesRequest(body)))?.scenario.name).toBe(name)
})

test('the README has a row for each built-in scenario', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` +\| (?:`([^`]+)`|anything else) +\|/gm)]
  expect(rows.map(([, name, example]) => [name, example]).sort()).toEqual(
    builtIn.map(({ name, example }) => [name, example]).sort(),
  )
})

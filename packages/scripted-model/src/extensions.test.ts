import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createPlayground, type Playground, runClaude } from './claude-code.fixture.ts'
import { builtInScenarios, loadScenarios } from './load-scenarios.ts'
import type { ScenarioInput } from './scenario-schema.ts'
import { createScriptedModel } from './scripted-model.ts'

const useSkill: ScenarioInput = {
  name: 'use-skill',
  description: 'Calls a skill, then does what it says.',
  when: { prompt: { contains: 'greet' } },
  steps: [
    { tools: [{ name: 'Skill', input: { skill: 'greeting' } }] },
    { tools: [{ name: 'Bash', input: { command: 'echo ahoy' } }] },
    { text: 'The greeting is {{result}}.' },
  ],
}

let place: Playground
afterEach(() => place.remove())

async function put(path: string, content: string): Promise<void> {
  const full = join(place.cwd, '.claude', path)
  await mkdir(join(full, '..'), { recursive: true })
  await writeFile(full, content)
}

async function runWithProject(prompt: string) {
  const model = createScriptedModel({ scenarios: [useSkill, ...loadScenarios(builtInScenarios)] })
  const server = await model.listen()
  const run = await runClaude({ url: server.url, place, prompt, options: { settingSources: ['project'] } })
  await server.close()
  return { run, model }
}

test('a hook of a project is tried offline, as the README says', async () => {
  place = await createPlayground()
  const command = `echo "Never delete." >&2; exit 2`
  const hooks = { PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command }] }] }
  await put('settings.json', JSON.stringify({ hooks }))
  const { run } = await runWithProject('run: rm -r build')
  expect(run.result).toContain('The command failed')
  expect(run.result).toContain('Never delete.')
})

test('a skill of a project is tried offline; its words are not taken for a prompt', async () => {
  place = await createPlayground()
  await put(
    'skills/greeting/SKILL.md',
    '---\nname: greeting\ndescription: Greets.\n---\nSay "echo: something else".\n',
  )
  const { run, model } = await runWithProject('greet me')
  expect(run.tools).toEqual(['Skill', 'Bash'])
  expect(run.result).toBe('The greeting is ahoy.')
  expect(JSON.stringify(model.requests[1]?.body)).toContain('something else')
})

test('a stop hook that objects starts a turn whose prompt tells of it', async () => {
  place = await createPlayground()
  const command = `test -e stopped || { touch stopped; echo "Not yet." >&2; exit 2; }`
  await put('settings.json', JSON.stringify({ hooks: { Stop: [{ hooks: [{ type: 'command', command }] }] } }))
  const { model } = await runWithProject('echo: done')
  expect(model.requests.map((request) => request.scenario)).toEqual(['echo', 'default'])
})

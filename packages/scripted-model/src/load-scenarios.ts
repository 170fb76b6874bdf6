import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limits } from './limits.ts'
import { parseScenario, ScenarioError } from './parse-scenario.ts'
import type { Scenario } from './scenario-schema.ts'

/** The directory of the scenarios that come with the package. */
export const builtInScenarios = fileURLToPath(new URL('../scenarios/', import.meta.url))

/** The small repository that the scenario `fix-failing-test` repairs (no `.git` inside). */
export const sampleRepository = fileURLToPath(new URL('../sample-repo/', import.meta.url))

function scenarioFiles(directory: string): string[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ScenarioError(directory, [
      { path: 'the directory', message: `can't be read (${reason}). Give an existing one` },
    ])
  }
  return names.filter((name) => /\.(ya?ml|json)$/.test(name)).sort()
}

/**
 * Reads every `*.yaml`, `*.yml` and `*.json` of a directory, in the order of their names; that order decides
 * when two scenarios fit the same request.
 * @throws {ScenarioError} for a directory without scenarios, a bad file, or two scenarios of one name.
 */
export function loadScenarios(directory: string): Scenario[] {
  const files = scenarioFiles(directory)
  if (files.length === 0 || files.length > limits.scenarioFiles) {
    throw new ScenarioError(directory, [
      {
        path: 'the directory',
        message: `has ${files.length} scenario files. It needs at least 1 and at most ${limits.scenarioFiles} (*.yaml)`,
      },
    ])
  }
  const fileOf = new Map<string, string>()
  return files.map((file) => {
    const path = join(directory, file)
    const scenario = parseScenario(readFileSync(path, 'utf8'), path)
    const other = fileOf.get(scenario.name)
    if (other !== undefined) {
      throw new ScenarioError(path, [
        { path: 'name', message: `"${scenario.name}" is also in ${other}. Rename one of them` },
      ])
    }
    fileOf.set(scenario.name, path)
    return scenario
  })
}

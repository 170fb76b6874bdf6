import { posix } from 'node:path'
import { isTestFile } from '../house/tracked-files.ts'
import type { Import } from './read-imports.ts'
import { mayImport, reserved } from './rules.ts'
import { packageOf, type Workspace } from './workspaces.ts'

export interface Surroundings {
  workspaces: readonly Workspace[]
  /** The root's development tools. */
  tools: ReadonlySet<string>
}

/** What is wrong with one import of one file, as sentences that name the place and the rule. */
export function findViolations(file: string, imported: Import, around: Surroundings): string[] {
  const workspace = around.workspaces.find(({ directory }) => file.startsWith(`${directory}/`))
  if (!workspace) return [`${file} is in no workspace`]
  const dependency = packageOf(imported.specifier)
  const problems = [
    reservedProblem(file, imported),
    dependency === undefined
      ? leavesProblem(file, imported, workspace)
      : directionProblem(file, dependency, { workspace, around }),
    dependency === undefined ? undefined : declaredProblem(file, dependency, { workspace, around }),
  ]
  return problems.filter((problem) => problem !== undefined)
}

interface Place {
  workspace: Workspace
  around: Surroundings
}

function leavesProblem(file: string, { specifier }: Import, workspace: Workspace): string | undefined {
  if (specifier.startsWith('node:')) return undefined
  if (resolve(file, specifier).startsWith(`${workspace.directory}/`)) return undefined
  return `${file}: ${specifier} leaves ${workspace.name}; import another workspace by its name`
}

function directionProblem(file: string, dependency: string, place: Place): string | undefined {
  const { workspace, around } = place
  const target = around.workspaces.find(({ name }) => name === dependency)
  if (!target || target === workspace) return undefined
  if (target.isApp) return `${file}: nothing imports an app, and ${dependency} is one`
  if (isTestFile(file) || mayImport[workspace.name]?.includes(dependency)) return undefined
  return `${file}: ${workspace.name} may not import ${dependency} (tools/topology/rules.ts)`
}

function declaredProblem(file: string, dependency: string, place: Place): string | undefined {
  const { workspace, around } = place
  if (workspace.dependencies.has(dependency) || dependency === workspace.name) return undefined
  const forTests = workspace.devDependencies.has(dependency) || around.tools.has(dependency)
  if (isTestFile(file) && forTests) return undefined
  return `${dependency} is not declared in ${workspace.directory}/package.json`
}

function reservedProblem(file: string, { specifier, names, isType }: Import): string | undefined {
  if (isTestFile(file) || isType) return undefined
  const target = specifier.startsWith('.') ? resolve(file, specifier) : specifier
  const rule = reserved.find(
    (one) =>
      one.target.test(target) &&
      !one.only.test(file) &&
      (one.names === undefined || one.names.some((name) => names.includes(name))),
  )
  return rule && `${file} may not import ${specifier}: ${rule.what}`
}

/** Path of a relatively imported file, from the root. */
export function resolve(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier)
}

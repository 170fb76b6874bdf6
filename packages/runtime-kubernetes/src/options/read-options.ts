import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { type CompiledOptions, type KubernetesOptions, kubernetesOptions } from './schema.ts'
import { amountOf } from './values.ts'

/** Checks and completes the options. Throws one error that names every bad field. */
export const compileOptions = (options: KubernetesOptions): CompiledOptions => {
  const parsed = kubernetesOptions.safeParse(options)
  if (parsed.success) return consistent(parsed.data)
  const lines = parsed.error.issues.map(
    (issue) => `  ${issue.path.join('.') || '(all of it)'}: ${issue.message}`,
  )
  throw new Error(`The options of the Kubernetes runtime are not valid:\n${lines.join('\n')}`)
}

/** Reads the options from a YAML file. Throws with the file's name and every bad field. */
export const readOptions = async (file: string): Promise<CompiledOptions> => {
  try {
    return compileOptions(parse(await readFile(file, 'utf8')) ?? {})
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${file} can't be used: ${reason}`)
  }
}

/** A request above its limit would be refused by the API server with every start. */
const consistent = (options: CompiledOptions): CompiledOptions => {
  for (const name of ['runner', 'workspace'] as const) {
    const { cpu, cpuLimit, memory, memoryLimit } = options.resources[name]
    if (amountOf(cpu) > amountOf(cpuLimit) || amountOf(memory) > amountOf(memoryLimit))
      throw new Error(
        `The options of the Kubernetes runtime are not valid:\n  resources.${name}: asks for more than its limit`,
      )
  }
  return options
}

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

export const chart = join(import.meta.dirname, '../berth')

export const examples = ['smallest', 'production', 'locked-down'] as const

/** A Kubernetes object, as far as tests look at it. */
export interface Manifest {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  [field: string]: unknown
}

export interface HelmAnswer {
  code: number
  stdout: string
  stderr: string
}

/** Runs helm: that of `HELM`, else that of the PATH. Rejects only when there is none. */
export const helm = (...args: string[]): Promise<HelmAnswer> =>
  new Promise((resolve, reject) => {
    const program = process.env.HELM || 'helm'
    execFile(program, args, { maxBuffer: 32 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number')
        reject(new Error(`${program} can't be run (${error.code}): install helm 3, or set HELM to it.`))
      else resolve({ code: Number(error?.code ?? 0), stdout, stderr })
    })
  })

/** What the chart renders to with these options, as of a given Kubernetes. */
export const template = (...options: string[]): Promise<HelmAnswer> =>
  helm('template', 'berth', chart, '--namespace', 'berth', '--kube-version', '1.34.0', ...options)

/** The options for an example's values. */
export const example = (name: string): string[] => ['--values', join(chart, 'examples', `${name}.yaml`)]

/** The objects in rendered text. Throws when a document is no valid YAML. */
export const manifestsOf = (text: string): Manifest[] =>
  parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0]
    return document.contents === null ? [] : [document.toJS() as Manifest]
  })

/** The objects of an example. */
export const renderExample = async (name: string, ...options: string[]): Promise<Manifest[]> => {
  const { code, stdout, stderr } = await template(...example(name), ...options)
  if (code !== 0) throw new Error(stderr)
  return manifestsOf(stdout)
}

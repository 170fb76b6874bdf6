import { compileOptions, permissions } from '@berth/runtime-kubernetes'
import { describe, expect, test } from 'vitest'
import { isMap, isScalar, parse, parseDocument, stringify } from 'yaml'
import { read } from './house/tracked-files.ts'

const chart = 'deploy/helm/berth'
const values = read(`${chart}/values.yaml`)
const schema = JSON.parse(read(`${chart}/values.schema.json`))

/** Every value with its path, and the comment above it. Free-form ones, which the schema gives a rule for, count as one. */
const valuesOf = (node: unknown, path: string[] = []): { path: string; comment: string | undefined }[] => {
  if (!isMap(node)) return []
  return node.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) throw new Error(`A key under ${path.join('.')} is no text.`)
    const here = [...path, String(key.value)]
    // The comment above the first key of a map is the map's.
    const comment = key.commentBefore ?? (index === 0 ? node.commentBefore : undefined)
    return [{ path: here.join('.'), comment: comment ?? undefined }, ...valuesOf(value, here)]
  })
}

interface Schema {
  properties?: Record<string, Schema>
}
const pathsOf = ({ properties = {} }: Schema, path: string[] = []): string[] =>
  Object.entries(properties).flatMap(([key, inner]) => [
    [...path, key].join('.'),
    ...pathsOf(inner, [...path, key]),
  ])

/** Helm puts it there. The other is one of two forms, and empty by default. */
const notInValues = (path: string) => path === 'global' || path.startsWith('runners.network.dns.')
/** Its keys are the cluster's. */
const notInSchema = (path: string) => /^runners\.quota\.hard\.|^resources\.(requests|limits)\./.test(path)

describe('the chart', () => {
  const all = valuesOf(parseDocument(values).contents)

  test('has the version of what it installs', () => {
    const { version } = JSON.parse(read('package.json'))
    expect(parse(read(`${chart}/Chart.yaml`))).toMatchObject({ version, appVersion: version })
  })

  test('says what each value means', () => {
    expect(all.filter(({ comment }) => comment === undefined).map(({ path }) => path)).toEqual([])
  })

  test('knows the same values as its schema', () => {
    const known = all.map(({ path }) => path).filter((path) => !notInSchema(path))
    expect(known.sort()).toEqual(
      pathsOf(schema)
        .filter((path) => !notInValues(path))
        .sort(),
    )
  })

  test('asks for the rights that the runtime needs', async () => {
    const text = `# From packages/runtime-kubernetes/src/permissions.ts: \`npx vitest run tools/chart.test.ts -u\` writes it.\n${stringify(permissions, { lineWidth: 0 })}`
    await expect(text).toMatchFileSnapshot(`../${chart}/files/permissions.yaml`)
  })

  test('leaves sessions as the runtime has them', () => {
    const { images, namespaces, network, placement, ...rest } = parse(values).runners
    const options = compileOptions({ images: { runner: 'berth-runner' } })
    const {
      instance: _,
      images: theirs,
      namespaces: where,
      network: net,
      placement: place,
      ...others
    } = options
    expect(rest).toEqual({ instance: '', ...others })
    expect({ perProject: { prefix: namespaces.prefix } }).toEqual(where)
    expect(network).toEqual({ policy: net.policy, dns: {} })
    const filled = (map: object) =>
      Object.fromEntries(Object.entries(map).filter(([, value]) => JSON.stringify(value).length > 2))
    expect(filled(placement)).toEqual(filled(place))
    expect(Object.keys(placement).sort()).toEqual([
      'affinity',
      'nodeSelector',
      'priorityClassName',
      'runtimeClassName',
      'tolerations',
    ])
    expect(images.allowed).toEqual(theirs.allowed)
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileOptions, readOptions } from './read-options.ts'
import { amountOf } from './values.ts'

const images = { runner: 'berth-runner:test' }

test('one field is enough, and the rest has defaults', () => {
  const options = compileOptions({ images })
  expect(options.namespaces).toEqual({ perProject: { prefix: 'berth-' } })
  expect(options.patience.scheduleSeconds).toBe(300)
  expect(options.images.allowed).toEqual([])
  expect(options.network.backend).toEqual({
    namespaceLabels: {},
    podLabels: { 'app.kubernetes.io/name': 'berth' },
  })
})

test.each([
  [{}, /images/],
  [{ images: { runner: 'Berth Runner' } }, /images\.runner: expected an image name/],
  [{ images, namespaces: { existing: 'a', perProject: {} } }, /namespaces/],
  [{ images, namespaces: { perProject: { prefix: '../x' } } }, /namespaces/],
  [{ images, volumes: { session: 'much' } }, /volumes\.session: expected an amount/],
  [{ images, patience: { scheduleSeconds: 0 } }, /patience\.scheduleSeconds/],
  [{ images, nodeSelecter: {} }, /nodeSelecter/],
  [{ images, resources: { runner: { memory: '2Gi' } } }, /resources\.runner: asks for more than its limit/],
])('%j is refused, and says where', (options, message) =>
  expect(() => compileOptions(options as Parameters<typeof compileOptions>[0])).toThrow(message),
)

test('comes from a YAML file, and a mistake in it is told with its name', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-options-'))
  try {
    const file = join(directory, 'runtime.yaml')
    await writeFile(
      file,
      'images:\n  runner: berth-runner:1\nnamespaces:\n  existing: sessions\nvolumes: { tmp: 2Gi }\n',
    )
    expect(await readOptions(file)).toMatchObject({
      namespaces: { existing: 'sessions' },
      volumes: { tmp: '2Gi' },
    })
    await writeFile(file, 'images: [')
    await expect(readOptions(file)).rejects.toThrow(file)
    await expect(readOptions(join(directory, 'none.yaml'))).rejects.toThrow(
      /none\.yaml can't be used: ENOENT/,
    )
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('amounts', () =>
  expect(['500m', '2', '1.5', '512Mi', '10Gi', '1k'].map(amountOf)).toEqual([
    0.5, 2, 1.5, 536_870_912, 10_737_418_240, 1000,
  ]))

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { images } from './support/images.ts'
import { removeNamespaces } from './support/leftovers.ts'
import { apply, kubectl, podReady } from './support/programs.ts'

const namespace = `t-${randomBytes(4).toString('hex')}`

/** A pod of an image as it is, with nothing that can be written to. */
const pod = (name: string, image: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'one',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '--eval', 'setInterval(() => undefined, 60_000)'],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  },
})

const inside = (name: string, ...command: string[]) =>
  kubectl(['--namespace', namespace, 'exec', name, '--', ...command])

beforeAll(async () => {
  await kubectl(['create', 'namespace', namespace])
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  await apply(namespace, [pod('backend', images.backend), pod('runner', images.runner)])
  await Promise.all([podReady(namespace, 'backend'), podReady(namespace, 'runner')])
})

afterAll(() => removeNamespaces([namespace]))

describe.each(['backend', 'runner'])('[P102] the image of the %s', (name) => {
  it('runs as nobody in particular, with a root that is not written to, and can install nothing', async () => {
    expect(await inside(name, 'id', '-u')).toBe('10001\n')
    expect(await inside(name, 'sh', '-c', 'command -v npm npx corepack yarn || echo none')).toBe('none\n')
    const setuid = await inside(name, 'sh', '-c', 'find /opt/berth -perm /6022 -not -type l')
    expect(setuid, 'nothing of ours is set-uid, or can be written by others').toBe('')
  })

  it('lists what is in it: each package of Debian, Node, and the packages of its bundles', async () => {
    const sbom = JSON.parse(await inside(name, 'cat', `/usr/share/sbom/berth-${name}.cdx.json`))
    const purls: string[] = sbom.components.map(({ purl }: { purl: string }) => purl)
    const format = `\${Package}@\${Version}?arch=\${Architecture}\\n`
    const debian = (await inside(name, 'dpkg-query', '--show', '--showformat', format)).trim().split('\n')
    const listed = purls.filter((purl) => purl.startsWith('pkg:deb/debian/'))
    expect(listed.map((purl) => decodeURIComponent(purl.slice('pkg:deb/debian/'.length))).sort()).toEqual(
      debian.sort(),
    )
    expect(purls).toContain(`pkg:generic/node@${(await inside(name, 'node', '--version')).trim().slice(1)}`)
    expect(purls.filter((purl) => purl.startsWith('pkg:npm/')).length).toBeGreaterThan(10)
  })
})

it('[P102] the image of the runner has Claude Code, and git with its helper', async () => {
  expect(await inside('runner', 'env', 'HOME=/nowhere', '/opt/berth/claude/claude', '--version')).toMatch(
    /^\d+\./,
  )
  expect(await inside('runner', 'git', '--version')).toMatch(/^git version 2\./)
  expect(await inside('runner', '/opt/berth/node/node', '/opt/berth/runner/main.js', '--version')).toMatch(
    /^\d/,
  )
})

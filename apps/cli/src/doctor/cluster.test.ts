import type { Diagnosis } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { Context } from '../context.ts'
import { testContext } from '../test-context.ts'
import { checkCluster } from './cluster.ts'

const here = async (...args: string[]): Promise<unknown> => {
  if (args[0] === 'config') return { 'current-context': 'kind', clusters: [] }
  if (args[0] === 'version') return { serverVersion: { gitVersion: 'v1.34.0', major: '1', minor: '34' } }
  if (args[1] === 'namespace')
    return { metadata: { name: args[2], labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }
  return { items: [] }
}

const context = (diagnose: () => Promise<Diagnosis>): Context => {
  const base = testContext('http://127.0.0.1:1')
  const system = { version: '1.0', runtime: 'kubernetes', model: { source: 'scripted' as const } }
  return { ...base, client: { ...base.client, getSystem: async () => system, diagnose } }
}

const states = (findings: { name: string; state: string }[]) =>
  findings.map(({ name, state }) => `${name} ${state}`)

describe('checkCluster', () => {
  it('shows what the backend finds between what is seen from here', async () => {
    const findings = [{ name: 'rights', state: 'ok' as const, detail: 'all' }]
    const ask = async () => ({ runtime: 'kubernetes', namespace: 'berth-default', findings })
    expect(states(await checkCluster(context(ask), 'default', here))).toEqual([
      'cluster ok',
      'backend ok',
      'rights ok',
      'namespace ok',
      'quota ok',
    ])
  })

  it('goes on without kubectl, and tells what is not seen', async () => {
    const ask = async () => ({ runtime: 'kubernetes', namespace: 'berth-default', findings: [] })
    const found = await checkCluster(context(ask), 'default', async () => {
      throw new Error('kubectl was not found')
    })
    expect(states(found)).toEqual(['cluster warn', 'backend ok', 'namespace warn'])
    expect(found[0]?.detail).toContain('kubectl was not found')
  })

  it('needs the backend', async () => {
    const found = await checkCluster(testContext('http://127.0.0.1:1'), 'default', here)
    expect(states(found)).toEqual(['cluster ok', 'backend fail'])
    expect(found[1]?.repair).toContain('port-forward')
  })

  it('says that the backend has no cluster, or does not let one ask', async () => {
    const local = async () => ({ runtime: 'local', findings: [] })
    expect(states(await checkCluster(context(local), 'default', here))).toContain('runtime fail')
    const refused = await checkCluster(
      context(() => Promise.reject(new Error('Your role does not allow this'))),
      'default',
      here,
    )
    expect(refused.at(-1)).toMatchObject({
      name: 'diagnosis',
      state: 'fail',
      detail: expect.stringContaining('role'),
    })
  })
})

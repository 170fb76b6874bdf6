import { describe, expect, it, test } from 'vitest'
import { amountOf } from './amount.ts'
import { clusterFinding, namespaceFinding, quotaFindings } from './cluster-findings.ts'

const config = { 'current-context': 'kind', clusters: [{ cluster: { server: 'https://127.0.0.1:6443' } }] }

describe('the cluster of the user’s context', () => {
  it.each([
    ['1', '34', 'ok'],
    ['1', '29+', 'ok'],
    ['1', '28', 'fail'],
    ['2', '0', 'ok'],
  ])('%s.%s: %s', (major, minor, state) => {
    const version = { serverVersion: { gitVersion: `v${major}.${minor}`, major, minor } }
    const found = clusterFinding(config, version)
    expect(found.state).toBe(state)
    expect(found.detail).toContain('context kind, https://127.0.0.1:6443, Kubernetes v')
  })
})

describe('the namespace', () => {
  const labelled = (labels?: Record<string, string>) =>
    namespaceFinding({ metadata: { name: 'shop', labels } })

  it('is restricted, or says how to make it so', () => {
    expect(labelled({ 'pod-security.kubernetes.io/enforce': 'restricted' }).state).toBe('ok')
    expect(labelled({ 'pod-security.kubernetes.io/enforce': 'baseline' })).toMatchObject({
      state: 'warn',
      detail: 'shop enforces Pod Security "baseline" only',
      repair: 'kubectl label namespace shop pod-security.kubernetes.io/enforce=restricted --overwrite',
    })
    expect(labelled().detail).toContain('no Pod Security level')
  })
})

describe('quotas', () => {
  const one = (hard: Record<string, string>, used: Record<string, string>) =>
    quotaFindings({ items: [{ metadata: { name: 'berth' }, status: { hard, used } }] }, 'shop')[0]

  it.each([
    [{ pods: '100' }, { pods: '3' }, 'ok'],
    [{ pods: '100', 'limits.memory': '10Gi' }, { pods: '3', 'limits.memory': '9500Mi' }, 'warn'],
    [{ 'requests.cpu': '2' }, { 'requests.cpu': '2000m' }, 'fail'],
    [{ pods: '0' }, {}, 'fail'],
  ])('%j with %j used: %s', (hard, used, state) => {
    expect(one(hard, used)).toMatchObject({ name: 'quota', state })
  })

  it('name what is used, and need not be there', () => {
    expect(one({ pods: '4' }, { pods: '4' })).toMatchObject({
      detail: 'berth in shop: pods 4 of 4',
      repair: expect.stringContaining('kubectl edit resourcequota berth -n shop'),
    })
    expect(quotaFindings({ items: [] }, 'shop')).toMatchObject([{ state: 'ok' }])
  })
})

test('amounts', () => {
  expect(['500m', '2', '1.5', '512Mi', '1k', 'nonsense'].map(amountOf)).toEqual([
    0.5, 2, 1.5, 536_870_912, 1000, 0,
  ])
})

import { describe, expect, it, test } from 'vitest'
import { compileOptions } from '../options/read-options.ts'
import { probeFindings, rootFinding } from './probe-findings.ts'
import type { ProbeReport } from './probe-program.ts'
import { needOf, quotaFinding } from './quota-room.ts'
import { rightsFinding } from './rights.ts'
import type { ProbeOutcome } from './run-probe.ts'

const options = compileOptions({ images: { runner: 'berth-runner:1' } })
const url = 'http://berth-runners.berth.svc:7421'

const closed = {
  'another pod': 'ETIMEDOUT',
  'the API server': 'ECONNREFUSED',
  'addresses outside': 'ETIMEDOUT',
}
const well: ProbeReport = { lookUp: 'ok', backend: 'ok', forbidden: closed }

const reported = (changes: Partial<ProbeReport>): ProbeOutcome => ({
  kind: 'ended',
  exitCode: 0,
  message: JSON.stringify({ ...well, ...changes }),
})

const found = (outcome: ProbeOutcome, over = options) =>
  probeFindings(outcome, over, url).map(({ name, state }) => `${name} ${state}`)

describe('what a probe reports', () => {
  it.each<[string, Partial<ProbeReport>, string[]]>([
    ['all is well', {}, ['image ok', 'DNS ok', 'runner port ok', 'isolation ok']],
    ['no names', { lookUp: 'EAI_AGAIN' }, ['image ok', 'DNS fail', 'runner port ok', 'isolation ok']],
    ['no backend', { backend: 'ENOTFOUND' }, ['image ok', 'DNS ok', 'runner port fail', 'isolation ok']],
    [
      'an open network',
      { forbidden: { ...closed, 'the API server': 'open' } },
      ['image ok', 'DNS ok', 'runner port ok', 'isolation fail'],
    ],
  ])('%s', (_, changes, findings) => {
    expect(found(reported(changes))).toEqual(findings)
  })

  it('names what is open, and only warns where the operator wanted no policy', () => {
    const open = reported({ forbidden: { ...closed, 'another pod': 'open', 'addresses outside': 'open' } })
    expect(probeFindings(open, options, url).at(-1)?.detail).toContain('another pod, addresses outside')
    expect(found(open, { ...options, network: { ...options.network, policy: 'none' } }).at(-1)).toBe(
      'isolation warn',
    )
  })

  it('counts a RuntimeClass as there when a pod ran with it', () => {
    const placement = { ...options.placement, runtimeClassName: 'gvisor' }
    expect(found(reported({}), { ...options, placement })).toContain('RuntimeClass ok')
  })
})

describe('a probe that does not come so far', () => {
  it.each<[ProbeOutcome, string, RegExp]>([
    [
      { kind: 'refused', message: 'pods "x" is forbidden: exceeded quota: berth' },
      'quota fail',
      /ResourceQuota/,
    ],
    [
      { kind: 'refused', message: 'violates PodSecurity "restricted:latest"' },
      'Pod Security fail',
      /webhook/,
    ],
    [
      { kind: 'refused', message: 'RuntimeClass "gvisor" not found' },
      'RuntimeClass fail',
      /kubectl get runtimeclass/,
    ],
    [
      { kind: 'refused', message: 'no PriorityClass with name x was found' },
      'PriorityClass fail',
      /priorityClassName/,
    ],
    [{ kind: 'refused', message: 'denied by policy' }, 'pod fail', /admission/],
    [{ kind: 'late', made: true, message: 'the pod is Pending' }, 'pod fail', /get events/],
    [{ kind: 'trouble', trouble: { kind: 'schedule', message: '0/1 nodes' } }, 'nodes fail', /placement/],
    [
      { kind: 'trouble', trouble: { kind: 'image', message: 'ErrImagePull' } },
      'image fail',
      /berth-runner:1/,
    ],
    [
      { kind: 'trouble', trouble: { kind: 'create', message: 'RunContainerError' } },
      'container fail',
      /describe/,
    ],
    [{ kind: 'ended', exitCode: 1, message: 'node: not found' }, 'image fail', /this version/],
  ])('%j', (outcome, finding, repair) => {
    expect(found(outcome)).toEqual([finding])
    expect(probeFindings(outcome, options, url)[0]?.repair).toMatch(repair)
  })
})

test('a pod as root must be kept out', () => {
  const refused = (message: string): ProbeOutcome => ({ kind: 'refused', message })
  expect(rootFinding(refused('violates PodSecurity "restricted:latest"'), 'shop').state).toBe('ok')
  expect(rootFinding(refused('exceeded quota'), 'shop').state).toBe('warn')
  expect(rootFinding({ kind: 'late', made: false, message: 'no pod' }, 'shop').state).toBe('warn')
  expect(rootFinding({ kind: 'late', made: true, message: 'Pending' }, 'shop').state).toBe('fail')
  expect(rootFinding({ kind: 'ended', exitCode: 0, message: 'Completed' }, 'shop')).toMatchObject({
    state: 'fail',
    repair: 'kubectl label namespace shop pod-security.kubernetes.io/enforce=restricted --overwrite',
  })
})

describe('the room of a quota', () => {
  const need = needOf(options, { memoryBytes: 4 * 2 ** 30, milliCpus: 4000 })

  it('is what runs out first', () => {
    expect(need).toMatchObject({
      pods: 1,
      'requests.cpu': 0.35,
      'limits.memory': 2 ** 30 * 5 + 768 * 2 ** 20,
    })
    const hard = { pods: '100', 'limits.memory': '24Gi' }
    expect(quotaFinding('shop', { hard, used: { pods: '3' } }, need)).toMatchObject({
      state: 'ok',
      detail: 'the quota of shop has room for 4 more sessions (limits.memory: 0 of 24Gi used)',
    })
    expect(quotaFinding('shop', { hard, used: { pods: '99' } }, need).state).toBe('warn')
    expect(quotaFinding('shop', { hard, used: { pods: '100' } }, need).state).toBe('fail')
  })

  it('has no end where nothing that sessions need is limited', () => {
    expect(quotaFinding('shop', { hard: { services: '1' } }, need).state).toBe('ok')
    expect(quotaFinding('shop', {}, need).state).toBe('ok')
  })
})

test('rights that are missing are named by resource, with what they are for', () => {
  const right = (verb: string, resource: string, apiGroup = '') => ({
    verb,
    resource,
    apiGroup,
    why: 'a reason',
  })
  const missing = [right('create', 'jobs', 'batch'), right('patch', 'jobs', 'batch'), right('list', 'events')]
  expect(rightsFinding(missing, { count: 12, namespace: 'shop' })).toMatchObject({
    state: 'fail',
    detail:
      'the backend lacks, in the namespace shop, jobs.batch: create, patch (a reason); events: list (a reason)',
  })
  expect(rightsFinding([], { count: 12, namespace: undefined }).state).toBe('ok')
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { modelName } from './model-name.ts'
import { aboveMaxima, operatorSettings } from './operator.ts'
import { resolveSettings } from './resolve.ts'
import { platformSettings, sessionSettings, settings } from './settings.ts'

describe('resolveSettings', () => {
  it('prefers the session to the project to the platform, and says where each value comes from', () => {
    const { values, origins } = resolveSettings({
      session: { model: 'a', turnMinutes: 5 },
      project: { model: 'b', memoryMiB: 1024, otherwise: undefined },
      platform: platformSettings,
    })
    expect(values).toMatchObject({ model: 'a', turnMinutes: 5, memoryMiB: 1024, otherwise: 'allow' })
    expect(origins).toMatchObject({
      model: 'session',
      turnMinutes: 'session',
      memoryMiB: 'project',
      otherwise: 'platform',
    })
  })

  it('lets no layer lift what another denies', () => {
    const { values } = resolveSettings({
      session: { deny: [] },
      project: { deny: ['Bash(rm:*)', 'Read(x)'] },
      platform: { ...platformSettings, deny: ['Read(x)', 'WebFetch'] },
    })
    expect(values.deny).toEqual(['Read(x)', 'WebFetch', 'Bash(rm:*)'])
  })

  it('adds up what layers add, by name', () => {
    const server = { type: 'stdio' as const, command: 'x', args: [], env: {} }
    const hook = { hooks: [{ type: 'command' as const, command: 'true' }] }
    const { values, origins } = resolveSettings({
      session: { instructions: 'Mine.', env: { A: '2' }, hooks: { Stop: [hook] } },
      project: {
        instructions: 'Ours.',
        env: { A: '1', B: '1' },
        mcpServers: { docs: server },
        hooks: { Stop: [hook] },
      },
      platform: platformSettings,
    })
    expect(values).toMatchObject({
      instructions: 'Ours.\n\nMine.',
      env: { A: '2', B: '1' },
      mcpServers: { docs: server },
      hooks: { Stop: [hook, hook] },
    })
    expect(origins).toMatchObject({ instructions: 'session', mcpServers: 'project', skills: 'platform' })
  })

  it('puts what the operator sets below the project, and lets nobody set more than the operator allows', () => {
    const operator = operatorSettings.parse({
      defaults: { turnMinutes: 30, idleMinutes: 5, deny: ['WebFetch'] },
      maxima: { memoryMiB: 2048, cpus: 2, maxTurns: 100, idleMinutes: 60, dayBudgetUsd: 50 },
    })
    const { values, origins } = resolveSettings({
      session: { cpus: 1, idleMinutes: 0 },
      project: { turnMinutes: 10, memoryMiB: 4096, dayBudgetUsd: 20, deny: ['Read(x)'] },
      operator,
      platform: platformSettings,
    })
    expect(values).toMatchObject({
      ...{ turnMinutes: 10, memoryMiB: 2048, cpus: 1, maxTurns: 100, idleMinutes: 60, dayBudgetUsd: 20 },
      deny: ['WebFetch', 'Read(x)'],
    })
    expect(origins).toMatchObject({
      ...{ turnMinutes: 'project', memoryMiB: 'operator', cpus: 'session', maxTurns: 'operator' },
      ...{ idleMinutes: 'operator', dayBudgetUsd: 'project', processes: 'platform' },
    })
  })

  it('never comes to more than a maximum, whoever sets what', () => {
    const amounts = fc.record(
      {
        memoryMiB: fc.integer({ min: 512, max: 9000 }),
        maxTurns: fc.integer({ min: 1, max: 50 }),
        idleMinutes: fc.integer({ min: 0, max: 60 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(amounts, amounts, amounts, (session, project, maxima) => {
        const operator = { defaults: {}, maxima }
        const { values } = resolveSettings({ session, project, operator, platform: platformSettings })
        expect(aboveMaxima(values, maxima)).toEqual([])
        for (const name of Object.keys(maxima)) expect(values).toHaveProperty(name)
      }),
    )
  })

  it.each([
    [{ defaults: { memoryMiB: 4096 }, maxima: { memoryMiB: 2048 } }, 'defaults.memoryMiB'],
    [{ defaults: { idleMinutes: 0 }, maxima: { idleMinutes: 60 } }, 'defaults.idleMinutes'],
    [{ defaults: { gitCredentials: [] } }, 'defaults'],
    [{ maxima: { instructions: 'x' } }, 'maxima'],
    [{ maximum: {} }, ''],
  ])('refuses what no operator can mean: %j', (file, path) => {
    const { error } = operatorSettings.safeParse(file)
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it('has every value but the model when nobody sets anything', () => {
    expect(resolveSettings({ platform: platformSettings }).values).toEqual(platformSettings)
  })
})

it.each([
  [{ nonsense: 1 }],
  [{ model: '--flag' }],
  [{ memoryMiB: 1 }],
  [{ memoryMiB: 1.5 }],
  [{ cpus: 0.05 }],
  [{ cpus: 1.2345 }],
  [{ turnMinutes: 0 }],
  [{ otherwise: 'maybe' }],
  [{ allow: [''] }],
  [{ allow: Array(201).fill('Read') }],
  [{ instructions: 'x'.repeat(32_001) }],
  [{ undoHours: -1 }],
  [{ budgetUsd: 0 }],
  [{ idleMinutes: -1 }],
  [{ env: { LD_PRELOAD: '/x.so' } }],
  [{ env: { anthropic_api_key: 'x' } }],
  [{ env: { A: 'x\0' } }],
  [{ mcpServers: { x: { type: 'http', url: 'file:///etc/passwd' } } }],
  [{ mcpServers: { '../x': { command: 'x' } } }],
  [{ skills: { x: { description: 'd', instructions: 'i', files: { '../x': '' } } } }],
  [{ workflow: { url: 'https://h/x', path: 'a/../b' } }],
  [{ workflow: { url: 'ext::sh' } }],
  [{ hooks: { Nonsense: [] } }],
])('refuses %j', (value) => {
  expect(settings.safeParse(value).success).toBe(false)
})

it('lets a session set nothing that protects its project', () => {
  for (const value of [
    { allowedModels: [] },
    { undoHours: 0 },
    { egress: [{ host: 'a.example' }] },
    { projectBudgetUsd: 5 },
    { liveSessions: 5 },
    { quotaMemoryMiB: 4096 },
    { quotaCpus: 2 },
    { repositoryHooks: true },
    { mcpServers: { x: { type: 'http', url: 'http://10.0.0.1/' } } },
  ]) {
    expect(settings.safeParse(value).success).toBe(true)
    expect(sessionSettings.safeParse(value).success).toBe(false)
  }
})

it.each(['claude-sonnet-4-5', 'anthropic/claude:1', 'claude-x[1m]', 'us.anthropic.claude-v1:0'])(
  'takes %j as a model name',
  (name) => {
    expect(modelName.safeParse(name).success).toBe(true)
  },
)

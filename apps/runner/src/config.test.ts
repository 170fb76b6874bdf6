import { describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

const env = {
  BERTH_BACKEND_URL: 'http://127.0.0.1:7421/',
  BERTH_SESSION: 'ses_01jd0000000000000000000000',
  BERTH_PROJECT: 'default',
  BERTH_GENERATION: '3',
  BERTH_RUNNER_TOKEN: 'very-secret',
  BERTH_SESSION_DIR: '/data/sessions/a/',
  BERTH_MEMORY_BYTES: '4294967296',
  BERTH_PROCESSES: '1024',
  BERTH_MILLI_CPUS: '2500',
  BERTH_MIRROR_DIR: '/data/mirrors',
}

describe('the environment', () => {
  it('is read once, with defaults', () => {
    expect(readConfig(env)).toMatchObject({
      backendUrl: 'http://127.0.0.1:7421',
      generation: 3,
      sessionDirectory: '/data/sessions/a',
      limits: { memoryBytes: 4294967296, processes: 1024, milliCpus: 2500 },
      sandbox: 'bubblewrap',
      git: 'direct',
      logLevel: 'info',
    })
  })

  it('needs to know where the sockets of containers are', () => {
    expect(() => readConfig({ ...env, BERTH_SANDBOX: 'container' })).toThrow('BERTH_SOCKETS')
    const found = readConfig({ ...env, BERTH_SANDBOX: 'container', BERTH_SOCKETS: '/run/berth' })
    expect(found).toMatchObject({ sandbox: 'container', sockets: '/run/berth', graceMs: undefined })
  })

  it.each([
    ['BERTH_BACKEND_URL', 'ftp://x'],
    ['BERTH_SESSION', 'ses_1'],
    ['BERTH_GENERATION', '0'],
    ['BERTH_GENERATION', 'x'],
    ['BERTH_RUNNER_TOKEN', ''],
    ['BERTH_SESSION_DIR', 'relative'],
    ['BERTH_MEMORY_BYTES', '1'],
    ['BERTH_MILLI_CPUS', '0.5'],
    ['BERTH_SANDBOX', 'none'],
    ['BERTH_GIT', 'maybe'],
    ['BERTH_SOCKETS', 'relative'],
    ['BERTH_GRACE_MS', '1'],
    ['BERTH_MIRROR_DIR', undefined],
  ])('is refused with %s=%j, by name and without values', (name, value) => {
    const read = () => readConfig({ ...env, [name]: value })
    expect(read).toThrow(ConfigError)
    expect(read).toThrow(name)
    expect(read).not.toThrow('very-secret')
  })
})

import { homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'

describe('readConfig', () => {
  it('has a default for everything', () => {
    const config = readConfig({ XDG_DATA_HOME: '/data-home' })
    expect(config).toMatchObject({ host: '127.0.0.1', port: 7420, runnerPort: 7421, sandbox: 'bubblewrap' })
    expect(config.repositoryRoots).toEqual([homedir()])
  })

  it('names every bad variable at once', () => {
    expect(() =>
      readConfig({ BERTH_PORT: '99999', BERTH_SANDBOX: 'none', ANTHROPIC_BASE_URL: 'ftp://x' }),
    ).toThrow(/BERTH_PORT[\s\S]*BERTH_SANDBOX[\s\S]*ANTHROPIC_BASE_URL/)
  })

  it('refuses what is said of a bucket that is not named', () => {
    expect(() => readConfig({ BERTH_S3_REGION: 'eu', BERTH_S3_PREFIX: 'a', BERTH_PORT: '-1' })).toThrow(
      /BERTH_PORT[\s\S]*BERTH_S3_PREFIX[\s\S]*BERTH_S3_REGION/,
    )
    expect(readConfig({ BERTH_S3_BUCKET: 'blobs' }).s3).toMatchObject({ bucket: 'blobs', prefix: '' })
    expect(readConfig({}).s3).toBeUndefined()
  })

  it('names what is wrong in a list of git hosts', () => {
    expect(() => readConfig({ BERTH_GIT_HOSTS: 'github.com,https://x' })).toThrow(/BERTH_GIT_HOSTS: .*https/)
    expect(readConfig({ BERTH_GIT_HOSTS: 'a.example, *' }).gitHosts).toEqual(['a.example', '*'])
  })

  it('opens private addresses to projects only where their users are this machine’s', () => {
    expect(readConfig({}).privateHosts).toEqual(['*'])
    const open = { BERTH_HOST: '0.0.0.0', BERTH_ALLOW_REMOTE_OWNER: 'true' }
    expect(readConfig(open).privateHosts).toEqual([])
    expect(readConfig({ ...open, BERTH_PRIVATE_HOSTS: 'mcp.intern, 10.0.0.1:80' }).privateHosts).toEqual([
      'mcp.intern',
      '10.0.0.1:80',
    ])
    const kubernetes = {
      BERTH_RUNTIME: 'kubernetes',
      BERTH_KUBERNETES_CONFIG: '/k',
      BERTH_RUNNER_URL: 'http://b',
    }
    expect(readConfig(kubernetes).privateHosts).toEqual([])
    expect(() => readConfig({ BERTH_PRIVATE_HOSTS: 'http://x' })).toThrow(/BERTH_PRIVATE_HOSTS: .*http/)
  })

  it('does not open the API beyond this machine by accident', () => {
    expect(() => readConfig({ BERTH_HOST: '0.0.0.0' })).toThrow(/BERTH_ALLOW_REMOTE_OWNER/)
    expect(readConfig({ BERTH_HOST: '0.0.0.0', BERTH_ALLOW_REMOTE_OWNER: 'true' }).host).toBe('0.0.0.0')
  })

  it('wants to know how pods reach it before it runs sessions in a cluster', () => {
    const kubernetes = { BERTH_RUNTIME: 'kubernetes', BERTH_KUBERNETES_CONFIG: '/etc/berth/runtime.yaml' }
    expect(() => readConfig({ BERTH_RUNTIME: 'kubernetes' })).toThrow(/BERTH_KUBERNETES_CONFIG: needed/)
    expect(() => readConfig(kubernetes)).toThrow(/BERTH_RUNNER_URL: needed/)
    const config = readConfig({ ...kubernetes, BERTH_RUNNER_URL: 'http://berth-runners:7421' })
    expect(config.runtime).toEqual({ kind: 'kubernetes', file: '/etc/berth/runtime.yaml' })
    expect(readConfig({}).runtime).toEqual({ kind: 'local' })
  })

  it('takes an empty variable as one that is not set', () => {
    expect(readConfig({ ANTHROPIC_API_KEY: '' }).apiKey).toBeUndefined()
  })
})

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

  it('does not open the API beyond this machine by accident', () => {
    expect(() => readConfig({ BERTH_HOST: '0.0.0.0' })).toThrow(/BERTH_ALLOW_REMOTE_OWNER/)
    expect(readConfig({ BERTH_HOST: '0.0.0.0', BERTH_ALLOW_REMOTE_OWNER: 'true' }).host).toBe('0.0.0.0')
  })

  it('takes an empty variable as one that is not set', () => {
    expect(readConfig({ ANTHROPIC_API_KEY: '' }).apiKey).toBeUndefined()
  })
})

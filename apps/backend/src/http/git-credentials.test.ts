import type { GitCredentialsTest } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'

describe('[P204] the git credentials of a project', () => {
  it('are described one by one, whatever some of them are like', () =>
    withBackend(
      async ({ call }) => {
        const project = '/api/projects/default'
        const test = () => call<GitCredentialsTest>(`${project}/git-credentials/test`, { body: {} })
        expect(await test()).toMatchObject({ status: 200, body: { ok: true, items: [] } })
        const secret = { kind: 'git-host', value: 'canary-of-this-test' }
        await call(`${project}/secrets/token`, { method: 'PUT', body: secret })
        const gitCredentials = [
          { kind: 'token', host: 'git.example.com', secret: 'token' },
          { kind: 'gitlab', host: '10.255.255.1', secret: 'token' },
          { kind: 'github-app', host: 'github.com', appId: 1, installationId: 2, secret: 'token' },
        ]
        const headers = { 'if-match': '"1"' }
        await call(`${project}/settings`, { method: 'PATCH', body: { gitCredentials }, headers })
        const { status, body } = await test()
        expect([status, body.ok]).toEqual([200, false])
        expect(body.items).toMatchObject([
          {
            host: 'git.example.com',
            state: 'unknown',
            message: expect.stringContaining('test a repository'),
          },
          { host: '10.255.255.1', state: 'unknown', message: expect.stringContaining('BERTH_PRIVATE_HOSTS') },
          { kind: 'github-app', state: 'refused', message: expect.stringContaining('not the private key') },
        ])
        expect(JSON.stringify(body)).not.toContain(secret.value)
      },
      { privateHosts: [] },
    ))
})

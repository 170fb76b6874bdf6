import { describe, expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'

const ask = { method: 'POST', body: {} }

describe('a diagnosis', () => {
  it('tries store and blobs, and leaves nothing', () =>
    withBackend(async (backend) => {
      const { status, body } = await backend.call('/api/system/diagnosis', ask)
      expect(status).toBe(200)
      expect(body).toMatchObject({
        runtime: 'fake',
        findings: [
          { name: 'store', state: 'ok' },
          { name: 'blob store', state: 'ok', detail: expect.stringMatching(/takes, gives and removes/) },
        ],
      })
      const left: string[] = []
      for await (const scope of backend.parts.blobs.scopes()) left.push(scope)
      expect(left).toEqual([])
    }))

  it('asks the runtime of the project, once for all who ask meanwhile', () =>
    withBackend(async (backend) => {
      const asked: unknown[] = []
      backend.parts.runtime.diagnose = async (options) => {
        asked.push(options)
        return { namespace: 'berth-default', findings: [{ name: 'rights', state: 'fail', detail: 'none' }] }
      }
      const answers = await Promise.all([1, 2, 3].map(() => backend.call('/api/system/diagnosis', ask)))
      for (const { body } of answers)
        expect(body).toMatchObject({
          namespace: 'berth-default',
          findings: [{}, {}, { name: 'rights', state: 'fail' }],
        })
      expect(asked).toEqual([{ project: 'default', backendUrl: backend.runnerUrl }])
    }))

  it('asks the cluster whose tokens are taken whether it may be asked', () => {
    const check = async () =>
      ({ name: 'sign-in rights', state: 'fail', detail: 'none', repair: 'Give some.' }) as const
    const tokenReviewer = {
      check,
      review: () => Promise.reject(new Error('not here')),
      close: async () => {},
    }
    return withBackend(
      async (backend) => {
        const { body } = await backend.call('/api/system/diagnosis', ask)
        expect(body).toMatchObject({ findings: [{}, {}, await check()] })
      },
      { tokenReviewer },
    )
  })

  it('says what fails, and knows its projects', () =>
    withBackend(async (backend) => {
      backend.parts.blobs.put = () => Promise.reject(new Error('the disk is gone'))
      const { body } = await backend.call('/api/system/diagnosis', ask)
      expect(body).toMatchObject({
        findings: [
          {},
          {
            name: 'blob store',
            state: 'fail',
            detail: 'the disk is gone',
            repair: expect.stringContaining('BERTH_S3'),
          },
        ],
      })
      const nowhere = await backend.call('/api/system/diagnosis', { ...ask, body: { project: 'nowhere' } })
      expect(nowhere).toMatchObject({ status: 404, body: { code: 'project_not_found' } })
    }))
})

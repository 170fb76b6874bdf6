import { BerthError, errorCatalogue } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { blobFault, isRefusal } from './fault.ts'

const answer = (name: string, status: number) =>
  Object.assign(new Error('secret AKIAEXAMPLE'), { name, $metadata: { httpStatusCode: status } })
const network = (code: string) => Object.assign(new Error('connect'), { code, $metadata: { attempts: 4 } })

describe('blobFault', () => {
  it.each([
    [answer('XMinioStorageFull', 507), 'storage_full', false],
    [answer('QuotaExceeded', 403), 'storage_full', true],
    [answer('InternalError', 500), 'unavailable', false],
    [answer('SlowDown', 503), 'unavailable', false],
    [answer('OperationAborted', 409), 'unavailable', false],
    [answer('AccessDenied', 403), 'unavailable', true],
    [answer('NoSuchBucket', 404), 'unavailable', true],
    [answer('PermanentRedirect', 301), 'unavailable', true],
    [network('ECONNREFUSED'), 'unavailable', false],
    [Object.assign(new Error('x'), { name: 'TimeoutError' }), 'unavailable', false],
    [Object.assign(new Error('x'), { name: 'CredentialsProviderError' }), 'unavailable', true],
  ])('%s', (error, code, refusal) => {
    const fault = blobFault(error)
    expect(fault.code).toBe(code)
    expect(errorCatalogue[fault.code].retryable).toBe(true)
    expect(fault.message).toContain('code' in error ? error.code : error.name)
    expect(fault.message).not.toContain('AKIA')
    expect(isRefusal(error)).toBe(refusal)
  })

  it('leaves what is said already', () => {
    const said = new BerthError('too_large', 'too large')
    expect(blobFault(said)).toBe(said)
  })
})

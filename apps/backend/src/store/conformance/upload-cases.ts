import { limits } from '@berth/contract'
import { expect, it } from 'vitest'
import type { UploadRow } from '../upload-store.ts'
import { type Bench, codeOf, newId, remove, startOfTime } from './harness.ts'

const begin = (session: string, more: Partial<UploadRow> = {}) => ({
  upload: newId('upload'),
  session,
  path: 'dir/file.bin',
  size: 100,
  createdAt: startOfTime,
  ...more,
})

const part = 'a'.repeat(64)

export const uploadCases = (bench: () => Bench) => {
  it('keeps an upload as it was begun, and how far it is', async () => {
    const { store } = bench()
    const session = await bench().session()
    const one = begin(session, { sha256: part, executable: true, expected: null })
    const two = begin(session, { createdAt: startOfTime + 1 })
    await store.createUpload(one)
    await store.createUpload(two)
    expect(await store.upload(one.upload)).toEqual({ ...one, offset: 0, parts: [] })
    await store.extendUpload(one.upload, { from: 0, to: 60, parts: [part] })
    const further = { ...one, offset: 60, parts: [part] }
    expect(await store.upload(one.upload)).toEqual(further)
    expect(await store.uploads(session)).toEqual([further, { ...two, offset: 0, parts: [] }])
    await store.removeUpload(one.upload)
    await store.removeUpload(one.upload)
    expect(await store.upload(one.upload)).toBeUndefined()
    expect(await codeOf(store.createUpload(begin(newId('session'))))).toBe('session_not_found')
  })

  it('lets one of two that write at once win', async () => {
    const { store } = bench()
    const upload = begin(await bench().session())
    await store.createUpload(upload)
    const step = (to: number) => codeOf(store.extendUpload(upload.upload, { from: 0, to, parts: [part] }))
    const answers = await Promise.all([step(10), step(20)])
    expect(answers.toSorted()).toEqual(['fulfilled', 'upload_mismatch'])
    expect(await store.upload(upload.upload)).toMatchObject({ offset: answers[0] === 'fulfilled' ? 10 : 20 })
    expect(await codeOf(store.extendUpload(newId('upload'), { from: 0, to: 1, parts: [] }))).toBe(
      'upload_mismatch',
    )
  })

  it('refuses more uploads, or more bytes, than there may be', async () => {
    const { store } = bench()
    const session = await bench().session()
    for (let i = 0; i < limits.openUploads; i++) await store.createUpload(begin(session))
    expect(await codeOf(store.createUpload(begin(session)))).toBe('too_many_uploads')
    const other = await bench().session()
    const size = limits.projectUploadBytes - limits.openUploads * 100
    expect(await codeOf(store.createUpload(begin(other, { size: size + 1 })))).toBe('too_many_uploads')
    await store.createUpload(begin(other, { size }))
    expect(await codeOf(store.createUpload(begin(other, { size: 1 })))).toBe('too_many_uploads')
  })

  it('forgets an upload after a day, or with its session', async () => {
    const { store } = bench()
    const session = await bench().session()
    const old = begin(session)
    const young = begin(session, { createdAt: startOfTime + 1 })
    await store.createUpload(old)
    await store.createUpload(young)
    const now = startOfTime + limits.uploadHours * 3600_000
    await store.expire({ now, before: 0 })
    expect((await store.uploads(session)).map(({ upload }) => upload)).toEqual([young.upload])
    await bench().append(session, remove(startOfTime))
    await store.purge(session, startOfTime)
    expect(await store.upload(young.upload)).toBeUndefined()
  })
}

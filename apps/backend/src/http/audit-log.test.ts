import { createPublicKey, verify } from 'node:crypto'
import { type AuditHead, type AuditRecord, type AuditVerification, signedHead } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { eventually, type TestBackend, withBackend } from '../test-backend.ts'

interface Page<T> {
  items: T[]
  next?: string
}

const sealed = (backend: TestBackend) =>
  eventually('everything is sealed', async () => {
    const { tip, unsealed } = await backend.parts.store.auditChain()
    return unsealed === 0 && tip.number > 0 && tip
  })

describe('the audit', () => {
  it('[P165] [P167] is sealed by itself, listed, exported, signed and verified', () =>
    withBackend(async (backend) => {
      const { call, session } = backend
      const { id } = await session({ title: 'Secret title CANARY' })
      await call('/api/projects', { body: { name: 'web' } })
      await call('/api/projects/web/sessions', { body: { prompt: 'a prompt CANARY' } })
      await sealed(backend)
      const { body: list } = await call<Page<AuditRecord>>('/api/audit?action=createSession')
      expect(list.items.map(({ project }) => project)).toEqual(['web', 'default'])
      expect(list.items[1]).toMatchObject({ object: { kind: 'session', id }, sealed: { number: 1 } })
      const { body: ofWeb } = await call<Page<AuditRecord>>('/api/projects/web/audit')
      expect(ofWeb.items.map(({ action }) => action)).toEqual(['createSession', 'createProject'])

      const lines = async (path: string) => {
        const { body } = await call<string>(path)
        return (body as unknown as string).trim().split('\n')
      }
      const exported = await lines('/api/audit/export')
      expect(exported.length).toBeGreaterThanOrEqual(3)
      expect(exported.join('')).not.toContain('CANARY')
      const [first, second] = exported.map((line) => JSON.parse(line) as AuditRecord)
      expect(second?.sealed?.previous).toBe(first?.sealed?.digest)
      const events = await lines('/api/projects/web/audit/export?format=cloudevents')
      expect(JSON.parse(events[0] ?? '')).toMatchObject({
        specversion: '1.0',
        type: 'berth.audit.createProject',
        source: '/berth/projects/web',
        subject: 'project/web',
        data: { project: 'web', result: 'done' },
      })
      expect((await call<Page<AuditRecord>>('/api/audit?action=export*')).body.items).toHaveLength(2)

      const [head] = await eventually('a head is signed', async () => {
        const { items } = (await call<Page<AuditHead>>('/api/audit/heads')).body
        return items.length > 0 && items
      })
      const { keys } = (await call<{ keys: { keyId: string; publicKey: string }[] }>('/api/audit/key')).body
      const key = keys.find(({ keyId }) => keyId === head?.keyId)?.publicKey ?? ''
      const signature = Buffer.from(head?.signature ?? '', 'base64')
      const text = Buffer.from(signedHead(head as AuditHead))
      expect(verify(null, text, createPublicKey(key), signature)).toBe(true)

      const found = await call<AuditVerification>('/api/audit/verify', { body: { heads: [head] } })
      expect(found.body).toMatchObject({ ok: true, first: 1, unchecked: 0 })
      expect(found.body.heads).toBeGreaterThanOrEqual(2)
      await backend.restart()
      const again = await call<AuditVerification>('/api/audit/verify', { body: { heads: [head] } })
      expect(again.body).toMatchObject({ ok: true, unchecked: 0 })
      expect((await call('/metrics')).body).toMatch(/berth_audit_entries\{state="sealed"\} \d/)
    }))

  it('[P169] belongs to platform admins, and of a project to its admins', () =>
    withBackend(async ({ call }) => {
      await call('/api/projects', { body: { name: 'web' } })
      const keyOf = async (role: string) =>
        (await call<{ secret: string }>('/api/projects/web/keys', { body: { name: role, role } })).body.secret
      const [admin, editor] = [await keyOf('admin'), await keyOf('editor')]
      for (const path of ['/api/audit', '/api/audit/export', '/api/audit/heads', '/api/audit/key'])
        expect((await call(path, { token: admin })).body).toMatchObject({ code: 'forbidden' })
      expect((await call('/api/projects/web/audit', { token: editor })).body).toMatchObject({
        code: 'forbidden',
      })
      expect((await call('/api/projects/default/audit', { token: admin })).body).toMatchObject({
        code: 'project_not_found',
      })
      const { body } = await call<Page<AuditRecord>>('/api/projects/web/audit', { token: admin })
      expect(new Set(body.items.map(({ project }) => project))).toEqual(new Set(['web']))
      const asked = '/api/projects/web/audit?project=default'
      const { body: other } = await call<Page<AuditRecord>>(asked, { token: admin })
      expect(new Set(other.items?.map(({ project }) => project))).toEqual(new Set(['web']))
    }))
})

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'

it('leaves one entry of a change, of a refusal and of nothing else', () =>
  withBackend(async ({ call, directory, session }) => {
    const { id } = await session({ title: 'One' })
    await call('/api/projects/default/sessions')
    await call(`/api/projects/default/sessions/${id}/stop`, { method: 'POST' })
    await call('/api/projects', { body: { name: 'Not valid' } })
    await call('/api/projects', { body: { name: 'other' } })
    await call('/api/projects', { body: { name: 'other' }, token: 'wrong' })
    await call('/api/projects/default/sessions/ses_00000000000000000000000000', { method: 'DELETE' })
    const database = new DatabaseSync(join(directory, 'berth.db'), { readOnly: true })
    const rows = database
      .prepare('SELECT action, result, code, project, object_kind, object_id FROM audit ORDER BY place')
      .all()
    database.close()
    const text = rows.map((row) => Object.values(row).join(' '))
    expect(text).toEqual([
      `createSession done  default session ${id}`,
      `stopSession done  default session ${id}`,
      'createProject refused invalid_input   ',
      'createProject done  other project other',
      'deleteSession refused session_not_found default session ses_00000000000000000000000000',
    ])
  }))

import { BerthError, type Project, type ProjectDeletion, platformSettings } from '@berth/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
})
afterEach(() => fake.close())

const run = (...args: string[]) => runAgainst(fake.url, ['project', ...args])

const web = {
  name: 'web',
  displayName: 'Web',
  description: '',
  version: 4,
  createdAt: '2030-01-01T00:00:00.000Z',
} as Project
const deletion = (step: ProjectDeletion['step'], left: number): ProjectDeletion => ({
  ...{ project: 'web', step, since: '2030-01-01T00:00:00.000Z' },
  ...{ sessions: { total: 3, left } },
  by: { kind: 'user', id: 'ada' },
})

describe('[P208] berth project', () => {
  it('create makes one with its settings', async () => {
    fake.answers.createProject = web
    const { code, out } = await run(
      'create',
      'web',
      '--display-name',
      'Web',
      '--set',
      'turnMinutes=30',
      '--set',
      'ask=Bash(git push:*)',
    )
    expect([code, out]).toEqual([0, 'Created web. Use it: berth run --project web …\n'])
    expect(fake.said.createProject?.body).toEqual({
      ...{ name: 'web', displayName: 'Web' },
      settings: { turnMinutes: 30, ask: ['Bash(git push:*)'] },
    })
    expect(JSON.parse((await run('create', 'web', '--json')).out)).toEqual(web)
    expect(await run('create', 'web', '--set', 'none=1')).toMatchObject({
      out: '',
      err: expect.stringContaining('none'),
    })
    fake.answers.createProject = new BerthError('project_exists', 'There is a project web.')
    expect(await run('create', 'web')).toMatchObject({
      out: '',
      err: expect.stringContaining('There is a project web.'),
    })
  })

  it('rename changes the name for people, of the version that it saw', async () => {
    fake.answers.getProject = web
    fake.answers.updateProject = { ...web, displayName: 'New\u001b[31m' }
    const { code, out } = await run('rename', 'web', 'New')
    expect([code, out]).toEqual([0, 'web is shown as New.\n'])
    expect(fake.said.updateProject?.body).toEqual({ displayName: 'New' })
    expect(fake.requests).toEqual(['GET /api/projects/web', 'PATCH /api/projects/web'])
  })

  it('archive and unarchive say what comes of it', async () => {
    fake.answers.archiveProject = fake.answers.unarchiveProject = web
    expect((await run('archive', 'web')).out).toBe(
      'Archived web. Take it out again: berth project unarchive web\n',
    )
    expect((await run('unarchive', 'web')).out).toBe('web is active again.\n')
    expect(fake.requests.map((line) => line.split(' ')[1])).toEqual([
      '/api/projects/web/archive',
      '/api/projects/web/unarchive',
    ])
  })

  it('rm asks for the name, and nothing is sent without it', async () => {
    const { code, err } = await run('rm', 'web')
    expect([code, err]).toEqual([2, expect.stringContaining('--confirm <name>')])
    expect(fake.requests).toEqual([])
    fake.answers.deleteProject = new BerthError('invalid_input', 'Give the project’s name as `confirm`.')
    expect((await run('rm', 'web', '--confirm', 'wep')).err).toContain('as `confirm`')
    expect(fake.said.deleteProject?.query).toEqual({ confirm: 'wep' })
  })

  it('rm goes through the steps until it is gone, or does not wait', async () => {
    fake.answers.deleteProject = deletion('sessions', 3)
    expect((await run('rm', 'web', '--confirm', 'web', '-d')).out).toBe('web is being deleted.\n')
    expect(fake.requests).toEqual(['DELETE /api/projects/web'])
    fake.answers.getProjectDeletion = new BerthError('project_not_found', 'There is no project web.')
    const { code, out, err } = await run('rm', 'web', '--confirm', 'web')
    expect([code, out, err]).toEqual([0, 'Deleted web.\n', '  Sessions: 3 of 3 are left\n'])
    expect(fake.requests.at(-1)).toBe('GET /api/projects/web/deletion')
    fake.answers.getProjectDeletion = new BerthError('forbidden', 'You may not see this.')
    expect(await run('rm', 'web', '--confirm', 'web')).toMatchObject({
      out: '',
      err: expect.stringContaining('may not'),
    })
  })
})

it('[P208] berth project show names the settings that count', async () => {
  fake.answers.getProject = web
  fake.answers.getProjectSettings = { version: 1, own: {}, effective: platformSettings, origins: {} }
  expect((await run('show', 'web')).out).toContain('web')
})

import { describe, expect, it } from 'vitest'
import { createLayout } from '../layout.ts'
import { gitEnvironment } from './git-environment.ts'

const insideOf = (renames: boolean) =>
  createLayout({ sessionDirectory: '/data/ses', renames, doorSocket: '/tmp/d/door.sock' }).inside

describe('the environment of the agent’s git', () => {
  it('hands addresses to the helper, behind the settings that are there already', () => {
    const given = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'a.b', GIT_CONFIG_VALUE_0: 'c' }
    expect(gitEnvironment(insideOf(true), given)).toMatchObject({
      BERTH_DOOR: '/run/door.sock',
      GIT_CONFIG_COUNT: '4',
      GIT_CONFIG_KEY_1: 'url.berth::https://.insteadOf',
      GIT_CONFIG_VALUE_1: 'https://',
    })
    expect(gitEnvironment(insideOf(true), { GIT_CONFIG_COUNT: 'x' })).toMatchObject({ GIT_CONFIG_COUNT: '3' })
  })

  it('is as always without a sandbox', () => expect(gitEnvironment(insideOf(false), {})).toEqual({}))
})

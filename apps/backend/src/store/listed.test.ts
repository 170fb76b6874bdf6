import { expect, it } from 'vitest'
import { stateIn } from '../session/fixtures/situations.ts'
import { sameListed } from './listed.ts'

const summary = stateIn('working')?.summary

it('does not count what changes with every event', () => {
  if (summary === undefined) throw new Error('no summary')
  expect(sameListed(summary, { ...summary, seq: 99, updatedAt: '2031-01-01T00:00:00.000Z' })).toBe(true)
  expect(sameListed(summary, structuredClone(summary))).toBe(true)
  expect(sameListed(summary, { ...summary, deletedAt: undefined })).toBe(true)
  expect(sameListed(summary, { ...summary, title: 'Other' })).toBe(false)
  expect(sameListed(summary, { ...summary, turn: undefined })).toBe(false)
  expect(sameListed(summary, { ...summary, deletedAt: summary.createdAt })).toBe(false)
})

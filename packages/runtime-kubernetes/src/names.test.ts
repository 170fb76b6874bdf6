import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProject, jobNameOf, namespaceOf, usersOf } from './names.ts'
import { compileOptions } from './options/read-options.ts'

const options = compileOptions({
  images: { runner: 'r' },
  namespaces: { perProject: { prefix: 'a'.repeat(20) } },
})
const session = (seed: number) =>
  `ses_${createHash('sha256').update(String(seed)).digest('hex').slice(0, 26)}`

test('a Job’s name is a DNS label with room for what Kubernetes adds', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 2 ** 31 }), (seed, generation) => {
      const name = jobNameOf(session(seed), generation)
      expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,50})[a-z0-9]$/)
      expect(jobNameOf(session(seed), generation)).toBe(name)
    }),
  )
})

test('text of a project either is a name or is refused', () => {
  expect(namespaceOf(options, `p${'x'.repeat(39)}`)).toHaveLength(60)
  for (const text of ['', '../kube-system', 'A', 'x y', 'x\n', '-x', 'x'.repeat(41), 'a/b', 'a$(b)'])
    expect(() => checkProject(text), text).toThrow(/is not the name of a project/)
})

test('no two containers of different trust share a user, and no two sessions', () => {
  const seen = new Set<number>()
  for (let seed = 0; seed < 1000; seed++) {
    const { runner, agent, group } = usersOf(session(seed))
    expect(group).toBe(runner)
    for (const user of [runner, agent]) {
      expect(user).toBeGreaterThan(100_000)
      expect(user).toBeLessThan(2 ** 31)
      seen.add(user)
    }
  }
  expect(seen.size).toBe(2000)
})

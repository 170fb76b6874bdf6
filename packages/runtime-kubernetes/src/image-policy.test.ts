import { expect, test } from 'vitest'
import { checkImage, isAllowedImage } from './image-policy.ts'
import { compileOptions } from './options/read-options.ts'

const options = (allowed: string[]) =>
  compileOptions({ images: { runner: 'berth-runner:1', agent: 'tools:2', allowed } })

test.each([
  [[], 'tools:2', true],
  [[], 'berth-runner:1', false],
  [['registry.example.com/team/*'], 'registry.example.com/team/a:1', true],
  [['registry.example.com/team/*'], 'registry.example.com/other/a:1', false],
  [['registry.example.com/team/*'], 'evil.example.com/registry.example.com/team/a', false],
  [['registry.example.com/*'], 'registryXexample.com/a', false],
  [['*/tools:*'], 'a/tools:9', true],
])('with %j, %s is allowed: %s', (allowed, image, expected) =>
  expect(isAllowedImage(options(allowed), image)).toBe(expected),
)

test('a refused image is told with what is allowed', () => {
  expect(() => checkImage(options([]), 'x:1')).toThrow(/x:1 may not be used: the operator allows no images/)
  expect(() => checkImage(options(['a/*']), 'x:1')).toThrow(/allowed are a\/\*/)
  checkImage(options([]), undefined)
})
